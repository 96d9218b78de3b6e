/**
 * The ValidatingAdmissionPolicies of docs/rbac/ allow what the program writes and runs, under the names that it uses;
 * test/lab/live/rbac.test.ts has an API server evaluate them.
 */
import { type Issuer, type IssuerObject, planIssuer } from "../../components/certificates/issuer";
import { certificateSpec } from "../../components/federationCertificate";
import { ROOTS_CONFIG_MAP } from "../../components/peerCas";
import * as names from "../../components/shared/names";
import { PEER_CAS_PREFIX } from "../../components/trustedCas/trustedCas";
import { PROGRAMS } from "../../mesh/spire/serverCommands";
import type { ServerProgram } from "../../mesh/spire/serverProgram";
import { type Authorities, authoritiesBy, KINDS } from "../../mesh/spire/authorities";
import { serverBy, type SpireServer } from "../../mesh/spire/spireServer";
import { objects as probeObjects, PROBE } from "../../mesh/verify/probe/probeObjects";
import { files, objectsOf, type RbacManifest } from "./manifests";

interface Policy {
  failurePolicy: string;
  matchConditions: { name: string; expression: string }[];
  variables?: { name: string; expression: string }[];
  validations: { expression: string }[];
}

const ofKind = (kind: string, objects: RbacManifest[]): RbacManifest[] => objects.filter((each) => each.kind === kind);
const specOf = ({ spec }: RbacManifest): Policy => spec as Policy;
const all = files().flatMap((file) =>
  ofKind("ValidatingAdmissionPolicy", objectsOf(file)).map((object) => ({ file, object })),
);

function policy(name: string): Policy {
  const found = all.find(({ object }) => object.metadata.name === `spire-federation-${name}`);
  if (found === undefined) throw new Error(`there is no policy spire-federation-${name}`);
  return specOf(found.object);
}

function variable(of: string, name: string): string {
  const found = policy(of).variables?.find((each) => each.name === name);
  if (found === undefined) throw new Error(`policy ${of} has no variable ${name}`);
  return found.expression;
}
/** A variable that is a list of texts. */
const list = (of: string, name: string): string[] => JSON.parse(variable(of, name).replaceAll("'", '"')) as string[];
const validations = (of: string): string =>
  policy(of)
    .validations.map(({ expression }) => expression)
    .join("\n");

test.each(all.map(({ file, object }) => [object.metadata.name, file, object] as const))(
  "%s denies, also when it cannot be evaluated, and binds the subject of the Roles beside it",
  (name, file, object) => {
    const [bound] = ofKind("ValidatingAdmissionPolicyBinding", objectsOf(file)).filter(
      ({ metadata }) => metadata.name === name,
    );
    expect(bound?.spec).toEqual({ policyName: name, validationActions: ["Deny"] });
    const { failurePolicy, matchConditions } = specOf(object);
    expect(failurePolicy).toBe("Fail");
    const subjects = objectsOf(file).flatMap(
      (each) => (each as { subjects?: { namespace: string; name: string }[] }).subjects ?? [],
    );
    const users = subjects.map(
      (subject) => `request.userInfo.username == 'system:serviceaccount:${subject.namespace}:${subject.name}'`,
    );
    expect(users).toContain(matchConditions[0]?.expression);
    expect(object.metadata.name).toContain(`spire-federation-${matchConditions[0]?.name ?? ""}`);
  },
);

test("of the SpireServer the federation alone may change", () => {
  expect(list("deployer-spireserver", "fields")).toEqual(["federation"]);
});

const ISSUERS: Issuer[] = [
  { type: "acme" },
  { type: "acme", server: "https://acme.example.com", email: "a@example.com", ingressClassName: "other" },
  { type: "ca" },
  { type: "ca", secretName: "another" },
  { type: "ca", selfSigned: true },
];
const made = ISSUERS.flatMap((args) => planIssuer(args, "federation.example.com").objects);
const issuers = made.filter(({ kind }) => kind === "Issuer");
const roots = made.filter(({ kind }) => kind === "Certificate");

test.each(issuers.map((issuer) => [issuer.name, issuer] as const))(
  "Issuer %s has the type of its name",
  (name, issuer) => {
    const types = [...variable("deployer-issuers", "type").matchAll(/matches\('([^']+)'\) \? '(\w+)'/g)];
    const [, , type] = types.find(([, pattern = ""]) => new RegExp(pattern).test(name)) ?? [];
    expect(Object.keys(issuer.spec)).toEqual([type]);
  },
);

test("the Secrets that Issuers name are those of the defaults", () => {
  const [acme, , ca] = issuers as [IssuerObject, IssuerObject, IssuerObject];
  expect(ca.spec["ca"]).toEqual({ secretName: list("deployer-issuers", "caSecrets")[0] });
  const { privateKeySecretRef, solvers } = acme.spec["acme"] as {
    privateKeySecretRef: { name: string };
    solvers: { http01: { ingress: object } }[];
  };
  expect(validations("deployer-issuers")).toContain(`== '${privateKeySecretRef.name}'`);
  expect(solvers.map(({ http01 }) => Object.keys(http01.ingress))).toEqual([["ingressClassName"]]);
});

test("Certificates have the fields, the Secrets and the usages that the program writes", () => {
  const host = "federation.example.com";
  const of = { host, secretName: names.CERTIFICATE_SECRET, duration: "1h", issuerRef: { kind: "Issuer", name: "i" } };
  const spec = certificateSpec(of as Parameters<typeof certificateSpec>[0]);
  expect(list("deployer-certificates", "fields").sort()).toEqual([...Object.keys(spec), "renewBefore"].sort());
  expect(list("deployer-certificates", "usages")).toEqual(spec["usages"]);
  expect(list("deployer-certificates", "secrets")).toEqual([names.CERTIFICATE_SECRET]);
  const [root] = roots;
  expect(list("deployer-certificates", "rootFields").sort()).toEqual(Object.keys(root?.spec ?? {}).sort());
  const [caSecret = ""] = list("deployer-certificates", "caSecrets");
  expect(root?.spec["secretName"]).toMatch(new RegExp(`^${caSecret}-[0-9a-f]{8}$`));
  expect(variable("deployer-certificates", "isRoot")).toBe(`object.metadata.name == '${root?.name ?? ""}'`);
  expect(root?.spec["issuerRef"]).toEqual({ kind: "Issuer", name: root?.name });
});

test("the Subscriptions and ConfigMaps are the program's", () => {
  expect(validations("deployer-subscription")).toContain(`it.name != '${names.TRUSTED_CA_ENV}'`);
  expect(validations("deployer-subscription")).toContain(`it.value.startsWith('${PEER_CAS_PREFIX}')`);
  for (const text of [`request.name == '${ROOTS_CONFIG_MAP}'`, `request.name.startsWith('${PEER_CAS_PREFIX}')`])
    expect(validations("deployer-configmaps")).toContain(text);
  expect(validations("deployer-cert-manager")).toContain(`== '${names.CERT_MANAGER.packageName}'`);
});

test("the probe's identity is the one that it makes", () => {
  const prober = { ingressDomain: "apps.example.com" } as Parameters<typeof probeObjects>[0];
  const made = probeObjects(prober, [], "image").find(({ kind }) => kind === "ClusterSPIFFEID");
  const spec = made?.spec as { spiffeIDTemplate: string; namespaceSelector: object };
  expect(list("auditor-probe", "fields")).toEqual(Object.keys(spec));
  expect(spec.namespaceSelector).toEqual({ matchLabels: { "kubernetes.io/metadata.name": PROBE } });
  expect(validations("auditor-probe")).toContain(`'kubernetes.io/metadata.name': '${PROBE}'`);
  expect(validations("auditor-probe")).toContain(`'${spec.spiffeIDTemplate}'`);
});

/** The first words of what a server's program is given, whatever it answers. */
type Calls<Server> = ((server: Server) => Promise<unknown>)[];
const commandsOf = (...calls: Calls<SpireServer>): Promise<string[]> => recorded(serverBy, calls);

async function recorded<Server>(by: (program: ServerProgram) => Server, calls: Calls<Server>): Promise<string[]> {
  const commands: string[] = [];
  const run = (...args: string[]): Promise<string> => {
    commands.push(args.filter((_, index) => !args.slice(0, index + 1).some((arg) => arg.startsWith("-"))).join(" "));
    return Promise.resolve("{}");
  };
  const server = by({ path: () => Promise.resolve(PROGRAMS[0]), run });
  for (const call of calls) await call(server).catch(() => undefined);
  return commands;
}

test("commands in the SPIRE server are those that the program runs", async () => {
  const two = [Buffer.from("a"), Buffer.from("b")];
  const jwtKeys = ["a", "b"].map((id) => ({ id })) as never[];
  const reading = await commandsOf(
    (server) => server.ownBundle(),
    (server) => server.bundles(),
    (server) => server.relationships(),
    (server) => server.signing({ roots: two, jwtKeys } as unknown as Parameters<typeof server.signing>[0]),
  );
  expect(list("auditor-exec", "commands")).toEqual(["--version", ...reading]);
  const ending = await commandsOf(
    (server) => server.bundles(),
    (server) => server.forget("example.com"),
    (server) => server.relationships(),
    (server) => server.polls("example.com"),
  );
  expect(list("deployer-removal", "reading")).toEqual(list("auditor-exec", "commands"));
  const allowed = [...reading, ...list("deployer-removal", "ending"), "--version"];
  expect(ending.filter((command) => !allowed.includes(command))).toEqual([]);
  expect(list("deployer-removal", "ending").filter((command) => !ending.includes(command))).toEqual([]);
  for (const name of ["auditor-exec", "deployer-removal"]) expect(list(name, "programs")).toEqual(PROGRAMS);
});

test("a rotator's commands are those of a rotation", async () => {
  const reading = await recorded(authoritiesBy, [
    ...KINDS.map((kind) => (server: Authorities) => server.slots(kind)),
    (server) => server.own(),
    (server) => server.held(),
    (server) => server.agents(),
    (server) => server.entries(),
  ]);
  expect(list("rotator", "reading")).toEqual(["--version", ...reading]);
  const changing = await recorded(authoritiesBy, [
    ...KINDS.flatMap((kind) => [
      (server: Authorities) => server.prepare(kind),
      ...(["activate", "taint", "revoke"] as const).map((verb) => (server: Authorities) => server[verb](kind, "id")),
    ]),
    (server) => server.refresh("example.com"),
  ]);
  expect(list("rotator", "changing")).toEqual(changing);
  expect(list("rotator", "programs")).toEqual(PROGRAMS);
});
