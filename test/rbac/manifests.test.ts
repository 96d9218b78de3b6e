/** What can be said of docs/rbac/ without a cluster; test/lab/live/rbac.test.ts says whether it is enough, and not too much. */
import * as names from "../../components/shared/names";
import { PROBE } from "../../mesh/verify/probe/probeObjects";
import { files, objectsOf, type RbacManifest } from "./manifests";
import { covers, describe as inWords, type Granting, rights } from "./rights";

const all = files().flatMap(objectsOf);
const granting = (objects: RbacManifest[]): Granting[] =>
  objects.filter((object): object is RbacManifest & Granting => object.rules !== undefined);
const granted = rights(granting(all));

test("nobody gets everything of something", () => {
  const wildcards = granted.filter((right) => [right.apiGroup, right.resource, right.verb].includes("*"));
  expect(wildcards.map(inWords)).toEqual([]);
});

test("nobody can give himself more", () => {
  expect(granted.filter(({ verb }) => ["escalate", "impersonate"].includes(verb)).map(inWords)).toEqual([]);
  // That Role's rules cannot be more than its writer holds.
  expect(granted.filter(({ verb }) => verb === "bind").map(({ resource, name }) => [resource, name])).toEqual([
    ["roles", names.SECRET_READER.role],
  ]);
});

test("of secrets nobody reads any but the endpoint's certificate, and that only the deployer", () => {
  const secrets = granted.filter(({ resource }) => resource.split("/")[0] === "secrets");
  expect(secrets.map(({ role, name }) => ({ role, name }))).toEqual(
    Array(3).fill({ role: `${names.OPERAND_NAMESPACE}/spire-federation-deployer`, name: names.CERTIFICATE_SECRET }),
  );
});

test("the auditor changes nothing", () => {
  // A review is a question, and leaves nothing behind.
  const reading = rights(granting(objectsOf("auditor"))).filter(
    ({ resource }) => resource !== "localsubjectaccessreviews",
  );
  expect(reading.filter(({ verb }) => !["get", "list"].includes(verb)).map(inWords)).toEqual([]);
});

test("no right is granted twice to the same identity", () => {
  // The deployer has all but what is the auditor's own.
  const deployers = rights(
    granting(
      files()
        .filter((file) => !["auditor-exec", "auditor-probe", "auditor-peer-cas", "rotator"].includes(file))
        .flatMap(objectsOf),
    ),
  );
  const twice = deployers.filter((right) => deployers.some((other) => other !== right && covers(other, right)));
  expect(twice.map(inWords)).toEqual([]);
});

test("every Role is bound, in its own namespace", () => {
  const place = ({ kind, metadata }: RbacManifest): string => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
  const bound = all.flatMap(({ metadata, roleRef }) =>
    roleRef === undefined
      ? []
      : [place({ apiVersion: "", kind: roleRef.kind, metadata: { ...metadata, name: roleRef.name } })],
  );
  for (const role of granting(all)) expect(bound).toContain(place({ apiVersion: "", ...role }));
});

test("names are those that the program uses", () => {
  const known: string[] = [
    ...[
      names.SINGLETON,
      names.OPERAND_NAMESPACE,
      names.CERTIFICATE_SECRET,
      names.FEDERATION_ROUTE,
      names.OWN_ROUTE,
      names.SPIRE_SERVER,
      names.SPIRE_AGENT,
      names.CONTROLLER_MANAGER,
      names.CSI_DRIVER,
      names.OIDC_PROVIDER,
      names.OPERATORS_READER,
      names.ZTWIM.deployment,
      names.ZTWIM.packageName,
      names.SPIRE_BUNDLE,
    ],
    ...[names.SECRET_READER.role, names.SECRET_READER.binding],
    ...[names.CERT_MANAGER.namespace, names.CERT_MANAGER.subscription, names.CERT_MANAGER.operatorGroup],
    ...[names.ZTWIM.deployment, names.CERT_MANAGER.operatorDeployment],
    PROBE,
    ...[
      "spire-server-0",
      "internal-ca-root",
      "cert-manager-webhook",
      "clusterfederatedtrustdomains.spire.spiffe.io",
      "spireservers.operator.openshift.io",
      `https:${names.SPIRE_SERVER}:${names.BUNDLE_PORT}`,
    ],
    "version",
  ];
  expect(granted.flatMap(({ name }) => name ?? []).filter((name) => !known.includes(name))).toEqual([]);
});
