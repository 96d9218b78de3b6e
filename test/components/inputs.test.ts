/** Whatever does not decide how many children there are may be an output. */
import * as pulumi from "@pulumi/pulumi";
import * as components from "../../components";
import { readiness } from "../../components/shared/gate";
import { caFingerprintsOf } from "../../components/trustedCas/trustedCas";
import { record, type Seen } from "../mocks";
import { DOMAIN, HOST, peer, peerRoot, ready, withZtwim } from "./given";
import { root } from "./issue";
import { useCluster } from "./openedCluster";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("./endpoints"));

const ca = root("ca.example.com").pem;
const onePeer = {
  ...{ ...peer, objectName: "theirs", caCertificates: ca, roots: root(peer.trustDomain).pem },
  ...{ fingerprints: ["a".repeat(64)], caFingerprints: caFingerprintsOf({ caCertificates: ca }) },
};
/** Of the key that the peer's endpoint serves. */
const [key = ""] = caFingerprintsOf({ caCertificates: peerRoot.pem });
const access = { context: "cluster1", kubeconfig: "~/config" };
const selfSigned = { type: "ca", selfSigned: true } as const;
const wait = { timeoutSeconds: 60, pollMs: 10 };

/** Arguments that decide about children, or name them. */
const DECIDES =
  /(^|\.)(stack|objectName|type|server|selfSigned|renewJitterHours|install|routerCertificate|federatesWithMode|trustPeerCas)$/;
const ALSO = ["issuer.secretName", "profile"];

/** The arguments, each a value that comes from elsewhere. */
function later(args: object, as: (value: unknown) => unknown = pulumi.output, above = ""): never {
  const turn = ([key, value]: [string, unknown]): [string, unknown] => {
    const path = `${above}${key}`;
    if (DECIDES.test(path) || ALSO.includes(path)) return [key, value];
    if (key === "peers" || key === "federatesWith") {
      return [key, (value as object[]).map((one) => later(one, as, "peer."))];
    }
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value) && key !== "labels";
    return [key, isGroup ? later(value, as, `${path}.`) : as(value)];
  };
  return Object.fromEntries(Object.entries(args).map(turn)) as never;
}

type Make = (args: never) => pulumi.ComponentResource;
const table: [string, Make, object][] = [
  [
    "CertManagerInstall",
    (args) => new components.CertManagerInstall("it", args),
    { ...access, channel: "c", source: "s", sourceNamespace: "n", installPlanApproval: "Manual", wait },
  ],
  [
    "FederationCertificate",
    (args) => new components.FederationCertificate("it", args),
    {
      ...{ ...access, host: HOST, certificateName: "spire-server-federation-tls", secretName: "s", wait },
      ...{
        duration: "100h",
        renewBefore: "10h",
        issuer: { type: "acme", email: "a@b.example", ingressClassName: "i" },
      },
    },
  ],
  [
    "RouterSecretAccess",
    (args) => new components.RouterSecretAccess("it", args),
    { ...access, secretName: "s", roleName: "r", roleBindingName: "b" },
  ],
  [
    "FederatedTrustDomain",
    (args) => new components.FederatedTrustDomain("it", args),
    {
      ...{ ...access, rebootstrap: 1, bootstrap: "endpoint" },
      peer: { ...peer, caCertificates: ca, fingerprints: [key], approvedKeys: [key] },
    },
  ],
  [
    "SpireFederationServer",
    (args) => new components.SpireFederationServer("it", args),
    {
      ...{ ...access, trustDomain: DOMAIN, host: HOST, refreshHint: 300, managedRoute: true, takeOver: false },
      ...{ servingCert: { externalSecretRef: "spire-server-federation-tls", fileSyncInterval: 86400 }, wait },
      ...{ federatesWithMode: "dynamic", federatesWith: [onePeer], probe: "machine", publishRoots: true },
      ...{ endpointCaCertificates: ca, ownRoute: { labels: { type: "x" }, name: "spire-federation-endpoint" } },
    },
  ],
];
const previewed: typeof table = [
  ...table,
  ["PeerCas", (args) => new components.PeerCas("it", args), { ...access, peers: [onePeer], wait }],
  [
    "SpireFederation",
    (args) => new components.SpireFederation("it", args),
    { ...access, trustDomain: DOMAIN, host: HOST, peers: [onePeer], secretName: "s", trustPeerCas: true },
  ],
];

const inputs = (seen: Seen[]): unknown =>
  Object.fromEntries(
    seen.map((one) => [one.name, JSON.parse(JSON.stringify(one.inputs).replace(/new\/\S+ sha256:\w+/, "mark"))]),
  );

/** What a component has registered that fails, and by what it fails. */
async function failed(make: () => pulumi.ComponentResource): Promise<{ seen: Seen[]; failure: string }> {
  let failure = "";
  const program = (): void => {
    readiness(make()).catch((error: unknown) => (failure = String(error)));
  };
  const seen = await record(program, { stalls: true });
  return { seen, failure };
}

/** The parts of component "it". */
const names = (seen: Seen[]): string[] =>
  seen
    .map(({ name }) => name)
    .filter((name) => !/^it(-cluster)?$/.test(name))
    .sort();

beforeEach(() => {
  useCluster(ready);
});

it.each(table)("%s makes the same of outputs as of values", async (_, make, args) => {
  const done = (given: object): Promise<Seen[]> => record(() => readiness(make(given as never)));
  expect(inputs(await done(later(args)))).toEqual(inputs(await done(args)));
});

it.each(previewed)("%s previews all its parts while a preview knows none of them", async (_, make, args) => {
  useCluster(withZtwim(ca));
  const preview = async (given: object): Promise<string[]> =>
    (await record(() => readiness(make(given as never)), { preview: true })).map(({ name }) => name).sort();
  expect(await preview(later(args, () => pulumi.output(pulumi.unknown)))).toEqual(await preview(args));
});

it.each<[string, string, unknown, string[]]>([
  ["RouterSecretAccess", "secretName", "S", []],
  ["FederationCertificate", "host", "x", []],
  ["FederationCertificate", "renewBefore", "200h", []],
  ["FederatedTrustDomain", "peer", { ...peer, bundleEndpointUrl: pulumi.output("http://x") }, []],
  ["SpireFederationServer", "trustDomain", "A", []],
  ["CertManagerInstall", "channel", "C", ["it-group", "it-namespace"]],
])(
  "%s fails by a wrong %s that comes as an output, and creates nothing of it",
  async (name, argument, wrong, others) => {
    const [, make, args] = table.find(([of]) => of === name) ?? [];
    if (make === undefined) throw new Error(`${name} is not in the table`);
    const value = typeof wrong === "string" ? pulumi.output(wrong) : wrong;
    const { seen, failure } = await failed(() => make({ ...args, [argument]: value } as never));
    expect(failure).toMatch(new RegExp(`it: the arguments cannot be used\\n  ${argument}`));
    expect(names(seen)).toEqual(others);
  },
);

it("begins no trust with a key that turns out not to be approved", async () => {
  const args = { peer: { ...peer, approvedKeys: [pulumi.output("00")] } };
  const { seen, failure } = await failed(() => new components.FederatedTrustDomain("it", args));
  expect(failure).toContain("keys are not those of the approved plan");
  expect(names(seen)).toEqual([]);
});

it.each<[string, object]>([
  ["one that is pinned by another fingerprint", { caFingerprints: pulumi.output(["00"]) }],
  ["one that is not pinned", { caCertificates: pulumi.output(ca), caFingerprints: [] }],
  ["one of a peer without https URL", { bundleEndpointUrl: pulumi.output("http://x") }],
])("does not give SPIRE a CA that turns out to be %s", async (_, more) => {
  useCluster(withZtwim(ca));
  const args = { peers: [{ ...onePeer, ...more }] };
  const { seen, failure } = await failed(() => new components.PeerCas("it", args));
  expect(failure).toMatch(/it: the arguments cannot be used\n {2}peers\[0\]/);
  expect(names(seen)).toEqual(["it-roots"]);
});

it.each<[string, () => unknown]>([
  [
    "FederationCertificate",
    () => new components.FederationCertificate("it", { host: pulumi.output(HOST), issuer: selfSigned }),
  ],
  [
    "SpireFederation",
    () => new components.SpireFederation("it", { trustDomain: pulumi.output(DOMAIN), issuer: selfSigned }),
  ],
])("%s refuses a self-signed CA of a host that is an output", async (_, make) => {
  await record(() => {
    expect(make).toThrow(/host: is an output; it must be a plain value with issuer\.selfSigned/);
  });
});

it("takes out at a destroy the peers whose trust domains are outputs", async () => {
  const federatesWith = ["b.example", "a.example"].map((one) => ({ ...peer, trustDomain: pulumi.output(one) }));
  const args = { trustDomain: DOMAIN, host: HOST, profile: "https_spiffe", federatesWith } as const;
  const seen = await record(() => new components.SpireFederationServer("it", args), { preview: true });
  const removal = seen.find(({ name }) => name === "it-removal");
  expect(removal?.inputs["environment"]).toEqual({
    TRUST_DOMAINS: "a.example b.example",
    OWN_TRUST_DOMAIN: DOMAIN,
  });
});

it("refuses what is known and wrong at once, beside what is not known", async () => {
  await record(() => {
    const args = { host: pulumi.output(HOST), issuer: { type: "acme", email: "x" }, duration: "90d" } as const;
    expect(() => new components.FederationCertificate("it", args)).toThrow(/issuer\.email: [^]*duration: /);
  });
});

it("creates the components whose arguments are all optional by their name alone", async () => {
  const seen = await record(() => [new components.RouterSecretAccess("a"), new components.CertManagerInstall("b")]);
  expect(seen.map(({ name }) => name)).toEqual(expect.arrayContaining(["a-role", "b-subscription"]));
});

it("leaves a peer out of SPIRE's CAs that turns out to have none of its own", async () => {
  useCluster(withZtwim(ca));
  const peers = [
    {
      ...{ ...peer, profile: pulumi.output("https_spiffe" as const), caCertificates: root("spire.example").pem },
      endpointSpiffeId: `spiffe://${peer.trustDomain}/spire/server`,
    },
  ];
  const seen = await record(() => new components.PeerCas("it", { peers }), { preview: true });
  expect(seen.find(({ name }) => name === "it-bundle")?.inputs["data"]).toEqual({ "ca-bundle.crt": `${ca.trim()}\n` });
});
