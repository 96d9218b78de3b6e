import { ownership, recreated, restarted } from "../../../mesh/adopt/ownership";
import type { Compared } from "../../../mesh/drift/objectFindings";
import type { StackObject } from "../../../mesh/pulumi/stackObjects";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const compared = (
  live: object | undefined,
  op: StackObject["op"] = "create",
  spec: object = { secretName: "a" },
): Compared => ({
  object: {
    op,
    type: "kubernetes:cert-manager.io/v1:Certificate",
    name: "certificate-certificate",
    asked: { apiVersion: "cert-manager.io/v1", kind: "Certificate", metadata: { name: "tls", annotations: {} }, spec },
    diffs: ["spec.secretName"],
  },
  live,
});

test.each<[string, Compared, string, string[]]>([
  ["as the stack asks for it is taken over", compared({ spec: { secretName: "a", more: 1 } }), "same", []],
  ["that is not there is created", compared(undefined), "missing", []],
  ["of the stack is its own", compared({ spec: { secretName: "a" } }, "same"), "owned", []],
  [
    "that says something else would be changed",
    compared({ spec: { secretName: "b" } }),
    "differs",
    ['spec.secretName is "b", and would be "a"'],
  ],
  [
    "of the stack that an up would change",
    compared({ spec: { secretName: "a" } }, "change"),
    "differs",
    ["an up would change spec.secretName"],
  ],
  ["that an up would delete", compared({ spec: { secretName: "a" } }, "delete"), "differs", ["an up would delete it"]],
  [
    "with a value that only an up knows",
    compared({ spec: { secretName: "b" } }, "create", { secretName: UNKNOWN }),
    "same",
    [],
  ],
])("an object %s", (_, one, state, differences) => {
  expect(ownership([one])).toEqual([{ object: "Certificate tls", state, differences, others: [], setBy: [] }]);
});

test("an object with another uid was recreated", () => {
  const before = [compared({ metadata: { uid: "1" } }), compared({ metadata: { uid: "2" } }), compared(undefined)];
  expect(
    recreated(before, [{ metadata: { uid: "1" } }, { metadata: { uid: "3" } }, { metadata: { uid: "4" } }]),
  ).toEqual(["Certificate tls was recreated"]);
  expect(recreated(before, [{ metadata: { uid: "1" } }, undefined, undefined])).toEqual([
    "Certificate tls was deleted",
  ]);
});

test("a pod of another uid, and a container that started again, are told", () => {
  const pod = (uid: string, restartCount: number) => ({
    metadata: { uid },
    status: { containerStatuses: [{ name: "spire-server", restartCount }] },
  });
  expect(restarted(pod("1", 0), pod("1", 0))).toEqual([]);
  expect(restarted(pod("1", 0), pod("1", 1))).toEqual(["a container of the SPIRE server's pod was restarted"]);
  expect(restarted(pod("1", 0), pod("2", 0))).toEqual(["the SPIRE server's pod was replaced"]);
  expect(restarted(pod("1", 0), undefined)).toEqual(["the SPIRE server's pod was replaced"]);
});

test("fields that somebody has set and the stack does not are told, but of a patch", () => {
  const managedFields = [{ manager: "kubectl", fieldsV1: { "f:spec": { "f:secretName": {}, "f:privateKey": {} } } }];
  const one = compared({ spec: { secretName: "a", privateKey: {} }, metadata: { managedFields } });
  expect(ownership([one])).toMatchObject([{ state: "same", others: ["spec.privateKey, set by kubectl"] }]);
  const patch = { ...one, object: { ...one.object, type: `${one.object.type}Patch` } };
  expect(ownership([patch])).toMatchObject([{ state: "same", others: [] }]);
});

test("another order of the SpireServer's peers is no change: SPIRE's configuration has none", () => {
  const list = (...domains: string[]): object => ({
    federation: { federatesWith: domains.map((trustDomain) => ({ trustDomain })) },
  });
  const of = (live: object): unknown => ownership([compared({ spec: live }, "create", list("a", "b"))])[0]?.state;
  expect([of(list("b", "a")), of(list("b", "c"))]).toEqual(["same", "differs"]);
});

test("who has set what becomes the stack's is told, and neither the stack nor who has set other fields", () => {
  const managedFields = [
    { manager: "argocd-controller", fieldsV1: { "f:spec": { "f:federation": {} } } },
    { manager: "spire-federation", fieldsV1: { "f:spec": { "f:federation": {} } } },
    { manager: "operator", fieldsV1: { "f:spec": { "f:logLevel": {} } } },
    { manager: "controller", subresource: "status", fieldsV1: { "f:spec": { "f:federation": {} } } },
  ];
  const one = compared({ spec: { secretName: "a" }, metadata: { managedFields } });
  const patch = {
    ...one,
    object: { ...one.object, type: "kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch" },
  };
  expect(ownership([patch])[0]?.setBy).toEqual(["argocd-controller"]);
  expect(ownership([one])[0]?.setBy).toEqual(["argocd-controller", "operator"]);
});
