import { APPLIED } from "../../../components/cluster/correction";
import { FEDERATION_CLASS } from "../../../components/shared/names";
import type { KubeObject } from "../../../components/cluster/cluster";
import { type Compared, objectFindings } from "../../../mesh/drift/objectFindings";
import type { StackObject } from "../../../mesh/pulumi/stackObjects";

const place = { member: "cluster1", context: "admin" };
const router = { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" };

const object = (
  kind: string,
  content: object,
  op: StackObject["op"] = "change",
  diffs: string[] = [],
): StackObject => ({
  op,
  type: `kubernetes:example.com/v1:${kind}`,
  name: "it",
  asked: {
    apiVersion: "example.com/v1",
    kind: kind.replace(/Patch$/, ""),
    metadata: { name: "it", namespace: "ns" },
    __fieldManager: "pulumi",
    ...content,
  },
  diffs,
});
const live = (content: object, fields: object = {}): KubeObject => ({
  metadata: { name: "it", managedFields: [{ manager: "kubectl-edit", fieldsV1: fields as Record<string, unknown> }] },
  ...content,
});
const found = (...compared: Compared[]): unknown[] =>
  objectFindings(place, compared, []).map(({ code, object: of, found: is, expected }) => [code, of, is, expected]);

test("what differs is said with what was asked for, and who may do what by a code of its own", () => {
  const subjects = [router];
  expect(
    found(
      { object: object("RoleBinding", { subjects }), live: live({ subjects: [router, { ...router, name: "other" }] }) },
      {
        object: object("Certificate", { spec: { renewBefore: "360h" } }),
        live: live({ spec: { renewBefore: "24h" } }),
      },
    ),
  ).toEqual([
    [
      "access-changed",
      "RoleBinding it",
      'subjects[1]: {"kind":"ServiceAccount","name":"other","namespace":"openshift-ingress"}',
      "subjects[1]: nothing",
    ],
    ["object-changed", "Certificate it", 'spec.renewBefore: "24h"', 'spec.renewBefore: "360h"'],
  ]);
});

test("objects that are not there, or no longer declared", () => {
  expect(
    found(
      { object: object("Issuer", {}, "create"), live: undefined },
      { object: object("Role", {}, "create"), live: live({}) },
      { object: object("Route", {}, "delete"), live: live({}) },
    ).map((finding) => (finding as string[]).slice(0, 2)),
  ).toEqual([
    ["object-missing", "Issuer it"],
    ["object-missing", "Role it"],
    ["object-left", "Route it"],
  ]);
});

test("a change that the cluster shows no more is told by the engine's own words", () => {
  const diffs = ["metadata.annotations.x", `metadata.annotations["${APPLIED}"]`];
  expect(found({ object: object("Role", {}, "change", diffs), live: live({}) })).toEqual([
    ["access-changed", "Role it", "an up would change it: metadata.annotations.x", undefined],
  ]);
});

test("what may hold a password is not shown, neither by itself nor in what is missing, changed or added as a whole", () => {
  const datastore = { databaseType: "postgres", connectionString: "postgresql://user:secret@db" };
  const other = { datastore: { ...datastore, connectionString: "other" } };
  const sees = (asked: object, is: object, fields?: object): string =>
    JSON.stringify(found({ object: object("SpireServer", { spec: asked }), live: live({ spec: is }, fields) }));
  for (const text of [
    sees(other, { datastore }),
    sees({ datastore }, {}),
    sees({ datastore: "sqlite" }, { datastore }),
    sees({}, { datastore }, { "f:spec": { "f:datastore": { "f:databaseType": {} } } }),
  ]) {
    expect(text).toContain("(not shown)");
    expect(text).not.toContain("secret");
  }
  const marked = { ["4dabf18193072939515e22adb298388d"]: "1b47061264138c4ac30d75fd1eb44270", plaintext: "secret" };
  expect(sees({ datastore: { databaseType: "postgres", other: marked } }, {})).not.toContain("plaintext");
});

test("the peers in a SpireServer are left to those who judge trust", () => {
  const spec = (...federatesWith: string[]): object => ({ spec: { federation: { federatesWith } } });
  const fields = { "f:spec": { "f:federation": { "f:federatesWith": {} } } };
  expect(
    found(
      { object: object("SpireServerPatch", spec("a")), live: live(spec("a", "b")) },
      { object: object("SpireServerPatch", { spec: { federation: {} } }, "same"), live: live(spec("a", "b"), fields) },
    ),
  ).toEqual([]);
});

describe("fields that somebody has added", () => {
  test("are found in objects that need no change, with a command that takes them out", () => {
    const compared = {
      object: object("Certificate", { spec: { secretName: "tls" } }, "same"),
      live: live({ spec: { secretName: "tls", isCA: true } }, { "f:spec": { "f:isCA": {} } }),
    };
    expect(objectFindings(place, [compared], [])).toEqual([
      {
        code: "fields-added",
        member: "cluster1",
        object: "Certificate it",
        found: "spec.isCA: true, set by kubectl-edit",
        cure: `oc --context admin -n ns patch certificate it --type json -p '[{"op":"remove","path":"/spec/isCA"}]'`,
      },
    ]);
  });

  test("are none of the stack's business where others have a say: a Subscription, and the rest of a SpireServer", () => {
    const fields = { "f:spec": { "f:config": {}, "f:logLevel": {}, "f:datastore": { "f:maxOpenConns": {} } } };
    const managed = { federation: {}, datastore: { databaseType: "postgres" } };
    expect(
      found(
        { object: object("Subscription", { spec: {} }, "same"), live: live({}, fields) },
        { object: object("SpireServerPatch", { spec: { federation: {} } }, "same"), live: live({}, fields) },
        { object: object("SpireServerPatch", { spec: managed }, "same"), live: live({}, fields) },
      ),
    ).toEqual([]);
  });
});

test("a command is only said to run again when no object is the reason", () => {
  const fetch: StackObject = {
    op: "change",
    type: "command:local:Command",
    name: "fetch",
    asked: {},
    diffs: ["stdin"],
  };
  const trust = object("ClusterFederatedTrustDomain", { spec: { className: FEDERATION_CLASS } });
  expect(objectFindings(place, [], [fetch]).map(({ object: of, found: is }) => [of, is])).toEqual([
    ["command:local:Command fetch", "an up would change it: stdin"],
  ]);
  expect(objectFindings(place, [{ object: trust, live: live({}) }], [fetch])).toHaveLength(1);
});
