/** Members whose endpoint has no certificate of cert-manager: nothing of cert-manager is expected, and all else is judged. */
import { configHash } from "../../../components/spireServer/spireServerReadiness";
import { printVerify, verifyExit, type Verification } from "../../../mesh/verify/verification";
import { issue } from "../../components/issue";
import { certificateOf, type Cluster, faults, hostOf, look, memberNamed, NAMES, presentedOf } from "./fixture";
import { set } from "./faults";

const one = "cluster1";
const spire = {
  type: "spire",
  server: "https://acme.example.com/directory",
  email: "a@example.org",
  tosAccepted: true,
};
const acme = {
  directoryUrl: spire.server,
  domainName: hostOf(one),
  email: spire.email,
  tosAccepted: "true",
};
const confOfAcme = {
  directory_url: spire.server,
  domain_name: hostOf(one),
  email: spire.email,
  tos_accepted: true,
};
const CERT_MANAGER = /cert-manager|^Role/;

/** The cluster serves so, and has nothing of cert-manager and no Role. */
const serving = (profile: string, httpsWeb: object | undefined, conf: object, tls: object) => (cluster: Cluster) => {
  cluster.objects = cluster.objects.filter(
    ({ apiVersion, kind, metadata }) =>
      ![apiVersion, kind, metadata?.namespace].some((text) => CERT_MANAGER.test(text ?? "")),
  );
  cluster.verbs = [];
  const { federation } = confOf(cluster);
  const text = JSON.stringify({
    server: { federation: { ...federation, bundle_endpoint: { refresh_hint: "300s", profile: conf } } },
  });
  set("SpireServer", "spec.federation.bundleEndpoint", {
    profile,
    refreshHint: 300,
    httpsWeb: structuredClone(httpsWeb),
  })(cluster);
  set("ConfigMap", "data", { "server.conf": text }, "spire-server")(cluster);
  const annotations = { "ztwim.openshift.io/spire-server-config-hash": configHash(text) };
  set("StatefulSet", "spec.template.metadata.annotations", annotations)(cluster);
  set("Route", "spec.tls", { ...tls })(cluster);
};

function confOf({ objects }: Cluster): { federation: object } {
  const map = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata?.name === "spire-server");
  const { "server.conf": text = "" } = map?.["data"] as Record<string, string>;
  return (JSON.parse(text) as { server: { federation: object } }).server;
}

const router = serving(
  "https_web",
  { servingCert: { fileSyncInterval: 86400 } },
  { https_web: { serving_cert_file: { file_sync_interval: "86400s" } } },
  { termination: "reencrypt" },
);
const ownAcme = serving("https_web", { acme }, { https_web: { acme: confOfAcme } }, { termination: "passthrough" });

function see(raw: Record<string, unknown>, ...changes: ((cluster: Cluster) => void)[]): Promise<Verification> {
  return look({
    members: NAMES.map((name) => memberNamed(name, name === one ? raw : {})),
    change: (clusters) => {
      for (const change of changes) change(clusters[one] as Cluster);
    },
  });
}

const OF_CERT_MANAGER = [
  "MESH102",
  "MESH111",
  "MESH112",
  "MESH113",
  "MESH114",
  "MESH121",
  "MESH122",
  "MESH123",
  "MESH149",
];
const outcome = (found: Verification, code: string): { state?: string; evidence?: string } =>
  found.members.find(({ member }) => member === one)?.checks.find((each) => each.code === code) ?? {};

test.each<[string, Record<string, unknown>, (cluster: Cluster) => void, string]>([
  [
    "the router's default certificate",
    { issuer: { type: "router" } },
    router,
    "https_web with the router's default certificate",
  ],
  ["SPIRE's own ACME", { issuer: spire }, ownAcme, `https_web with SPIRE's own ACME at ${spire.server}`],
  [
    "SPIRE's own ACME, which the config leaves open and the cluster has",
    {},
    ownAcme,
    `https_web with SPIRE's own ACME at ${spire.server}`,
  ],
])("a member with %s is healthy without cert-manager, and -o wide names it", async (_, raw, serves, named) => {
  const found = await see(raw, serves);
  expect(faults(found)).toEqual([]);
  expect(verifyExit(found)).toBe(0);
  for (const code of OF_CERT_MANAGER) expect([code, outcome(found, code).state]).toEqual([code, "skipped"]);
  for (const code of ["MESH131", "MESH132", "MESH141", "MESH142", "MESH144", "MESH145", "MESH146"])
    expect([code, outcome(found, code).state]).toEqual([code, "ok"]);
  expect(printVerify(found)).toContain(named);
});

test("a Route without the router's re-encryption is found", async () => {
  const found = await see({ issuer: { type: "router" } }, router, set("Route", "spec.tls.termination", "passthrough"));
  expect(outcome(found, "MESH141").state).toBe("failed");
});

test("another certificate than the router's default one in the SpireServer is found", async () => {
  const path = "spec.federation.bundleEndpoint.httpsWeb.servingCert.externalSecretRef";
  expect(faults(await see({ issuer: { type: "router" } }, router, set("SpireServer", path, "other")))).toContain(
    `${one} MESH131 failed`,
  );
});

test.each([
  [{ issuer: { type: "router" } }, router, /ingresscontroller/],
  [{ issuer: spire }, ownAcme, /logs spire-server-0/],
])("an expired certificate is said with whose work it is: %j", async (raw, serves, cure) => {
  const past = { notBefore: new Date(Date.now() - 2 * 86400_000), notAfter: new Date(Date.now() - 86400_000) };
  const expire = (cluster: Cluster): void => {
    cluster.presented = presentedOf(cluster.own, hostOf(one), certificateOf(hostOf(one), past));
  };
  const found = await see(raw, serves, expire);
  expect(outcome(found, "MESH144")).toMatchObject({ state: "failed", cure: expect.stringMatching(cure) as string });
});

test.each([
  ["a month", 396, 29, "warn"],
  ["a month and more", 396, 31, "ok"],
  ["a sixth of a shorter life", 60, 9, "warn"],
  ["more of it", 60, 11, "ok"],
])("a certificate that nobody here sees renewed is a warning with %s left", async (_, days, left, state) => {
  const from = Date.now() - (days - left) * 86400_000;
  const times = { notBefore: new Date(from), notAfter: new Date(from + days * 86400_000) };
  const age = (cluster: Cluster): void => {
    cluster.presented = presentedOf(cluster.own, hostOf(one), certificateOf(hostOf(one), times));
  };
  const found = await see({ issuer: { type: "router" } }, router, age);
  expect(outcome(found, "MESH144").state).toBe(state);
  // cert-manager says itself when it renews, and is late only after that.
  const change = ({ cluster1 }: Record<string, Cluster>): void => {
    age(cluster1 as Cluster);
  };
  const renewed = await look({ change });
  expect(renewed.members[0]?.checks.find(({ code }) => code === "MESH144")?.state).toBe("ok");
});

test("endpoint.ca alone vouches for it, whatever a request of an earlier issuer says", async () => {
  const endpointCa = issue("corporate", { ca: true }).pem;
  const asked: (string | undefined)[] = [];
  await look({
    members: [memberNamed(one, { issuer: { type: "router" }, endpoint: { ca: endpointCa } })],
    change: (clusters) => {
      router(clusters[one] as Cluster);
    },
    endpoint: (url, ca) => {
      if (url === `https://${hostOf(one)}`) asked.push(ca);
      return undefined;
    },
  });
  expect(asked).toEqual([endpointCa]);
});
