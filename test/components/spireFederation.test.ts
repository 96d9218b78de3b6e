/** One call makes a member: what it creates, in which order, and what of it is a contract. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { SpireFederation, type SpireFederationArgs } from "../../components";
import { readiness } from "../../components/shared/gate";
import { named, record, type RecordOptions, type Seen, valueOf } from "../mocks";
import { DOMAIN, HOST, peer, ready, silentCluster, withZtwim } from "./given";
import { useCluster } from "./openedCluster";
import { issue, root } from "./issue";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("./endpoints"));

// Dynamic: the SpireServer of the tests lists no peers.
const args: SpireFederationArgs = { context: "c1", trustDomain: DOMAIN, peers: [peer], federatesWithMode: "dynamic" };

const make = (changed: Partial<SpireFederationArgs> = {}, options: RecordOptions = {}): Promise<Seen[]> =>
  record(async () => {
    const federation = new SpireFederation("east", { ...args, ...changed });
    if (options.stalls !== true && options.preview !== true) await readiness(federation);
  }, options);

const names = (seen: Seen[]): string[] => seen.map(({ name }) => name);

beforeEach(() => {
  useCluster(ready);
});

describe("its resources", () => {
  it("have its name before theirs, so that one program may federate several clusters", async () => {
    const seen = await record(async () => {
      await readiness(new SpireFederation("east", args));
      await readiness(new SpireFederation("west", args));
    });
    expect(names(seen).filter((name) => !/^(east|west)(-|$)/.test(name))).toEqual([]);
    expect(new Set(names(seen)).size).toBe(seen.length);
  });

  it("have the names that a program of one cluster gives them with an empty prefix", async () => {
    const seen = await make({ prefix: "" });
    expect(names(seen)).toEqual(
      expect.arrayContaining(["cluster", "certificate-certificate", "cluster2-trust", "spire-server-server"]),
    );
  });

  it("go through a provider that it makes of kubeconfig and context, for the cluster that the trust domain tells", async () => {
    const seen = await make({ kubeconfig: "~/east" });
    expect(named(seen, "east-cluster").inputs).toMatchObject({
      ...{ kubeconfig: "~/east", context: "c1", clusterIdentifier: DOMAIN },
    });
    const objects = seen.filter(({ type }) => type.startsWith("kubernetes:"));
    expect(objects.length).toBeGreaterThan(8);
    for (const { provider } of objects) expect(provider).toMatch(/::east-cluster::/);
  });

  it.each(["provider", "providers"])(
    "go through the provider that is given as %s, and none is made",
    async (option) => {
      const seen = await record(async () => {
        const given = new k8s.Provider("given", { context: "c1" });
        const opts = option === "provider" ? { provider: given } : { providers: [given] };
        await readiness(new SpireFederation("east", args, opts));
      });
      expect(names(seen)).not.toContain("east-cluster");
      const objects = seen.filter(({ type }) => type.startsWith("kubernetes:"));
      for (const { provider } of objects) expect(provider).toMatch(/::given::/);
    },
  );
});

it("finds in a state what had the same names without it, so that nothing is made anew", async () => {
  const seen = await make({ prefix: "" });
  const below = seen.filter(({ parent }) => parent === "east");
  expect(below.map(({ aliases }) => aliases)).toEqual(below.map(() => 1));
});

describe("the order", () => {
  it("is that of the procedure: certificate, access, trust, server", async () => {
    const seen = await make();
    const after = (name: string): string[] => named(seen, name).dependencies;
    expect(after("east-certificate")).toContain("east-cert-manager-subscription");
    expect(after("east-router-access")).toContain("east-certificate-certificate");
    expect(after("east-cluster2")).toEqual(
      expect.arrayContaining(["east-certificate-certificate", "east-router-access-role"]),
    );
    expect(after("east-spire-server")).toEqual(
      expect.arrayContaining(["east-cluster2-trust", "east-router-access-binding", "east-certificate-certificate"]),
    );
  });

  it("is waited for: while cert-manager is not ready there is no certificate, no trust and no server", async () => {
    useCluster(silentCluster());
    const seen = await make({}, { stalls: true });
    expect(names(seen).filter((name) => /certificate|router|cluster2|spire-server/.test(name))).toEqual([]);
  });
});

describe("the certificate", () => {
  const bundleEndpoint = (seen: Seen[]): unknown =>
    (
      named(seen, "east-spire-server-server").inputs["spec"] as {
        federation: { bundleEndpoint: { httpsWeb?: unknown } };
      }
    ).federation.bundleEndpoint.httpsWeb;

  it("is the procedure's by default, for the host of the operator's Route", async () => {
    const seen = await make();
    expect(named(seen, "east-certificate-certificate").inputs["spec"]).toMatchObject({
      ...{ dnsNames: [HOST], issuerRef: { name: "letsencrypt-http01" } },
    });
    expect(bundleEndpoint(seen)).toMatchObject({ servingCert: { externalSecretRef: "spire-server-federation-tls" } });
  });

  it.each<[string, Partial<SpireFederationArgs>]>([
    ["the router's", { servingCert: { routerCertificate: true } }],
    ["a secret's that somebody else keeps", { servingCert: { externalSecretRef: "theirs" } }],
    [
      "SPIRE's own, by ACME",
      { acme: { directoryUrl: "https://ca.example.com", email: "a@b.example", tosAccepted: true } },
    ],
    ["none, with https_spiffe", { profile: "https_spiffe" }],
  ])("may be %s, and then cert-manager is not touched", async (_, changed) => {
    const seen = await make(changed, { preview: true });
    expect(names(seen)).toEqual(
      expect.arrayContaining(["east-cluster2", "east-spire-server", "east-spire-server-server"]),
    );
    expect(names(seen).filter((name) => /cert|router/.test(name))).toEqual([]);
  });
});

it("lets the router read a secret that somebody else keeps where it is asked to, before the Route refers to it", async () => {
  const servingCert = { externalSecretRef: "theirs" };
  const seen = await make({ servingCert, routerAccess: true }, { preview: true });
  expect(named(seen, "east-router-access-role").inputs["rules"]).toMatchObject([{ resourceNames: ["theirs"] }]);
  expect(named(seen, "east-spire-server").dependencies).toContain("east-router-access-binding");
  expect(names(seen).filter((name) => name.includes("cert"))).toEqual([]);
  for (const without of [{ profile: "https_spiffe" as const }, { servingCert: { routerCertificate: true } }]) {
    await record(() => {
      expect(() => new SpireFederation("east", { ...args, ...without, routerAccess: true })).toThrow(/routerAccess: /);
    });
  }
});

it("lets SPIRE trust the CAs of peers' endpoints where it is asked to, before the peers", async () => {
  useCluster(withZtwim(root("system.example.com").pem));
  const caCertificates = issue("CA", { ca: true, permitted: [`federation.${peer.trustDomain}`] }).pem;
  const peers = [{ ...peer, caCertificates }];
  expect(names(await make({ peers }, { preview: true }))).not.toContain("east-peer-cas");
  const seen = await make({ peers, trustPeerCas: true }, { preview: true });
  expect(names(seen)).toContain("east-peer-cas");
});

it("tells its endpoint, its secret, and whom it trusts since when", async () => {
  await record(async () => {
    const it = new SpireFederation("east", args);
    expect(await valueOf(it.bundleEndpointUrl)).toBe(`https://${HOST}`);
    expect(await valueOf(it.secretName)).toBe("spire-server-federation-tls");
    expect(Object.keys(it.peers)).toEqual(["cluster2"]);
    expect(await valueOf(pulumi.output(it.peers["cluster2"]?.trustDomain))).toBe(peer.trustDomain);
  });
});

it("refuses everything that is wrong at once, before any part is created", async () => {
  const seen = await record(() => {
    const wrong: SpireFederationArgs = {
      ...{ trustDomain: "A", duration: "90d", roleName: "R", issuer: { type: "acme", email: "x" } },
      ...{ certManager: { channel: "C" }, peers: [{ ...peer, bundleEndpointUrl: "http://x" }] },
    };
    expect(() => new SpireFederation("east", wrong)).toThrow(
      /trustDomain: [^]*issuer\.email: [^]*duration: [^]*roleName: [^]*certManager\.channel: [^]*peers\[0\]\.bundleEndpointUrl: /,
    );
    expect(() => new SpireFederation("west", { ...args, profile: "https_spiffe", issuer: { type: "acme" } })).toThrow(
      /issuer: has no effect/,
    );
  });
  expect(names(seen).filter((name) => !/^(east|west)(-cluster)?$/.test(name))).toEqual([]);
});

/** Type tokens of the parents and the own, and the name: what Pulumi knows a resource by. */
function urnsOf(seen: Seen[]): string[] {
  const type = ({ parent, ...own }: Seen): string => {
    const above = seen.find(({ name }) => name === parent);
    return above === undefined ? own.type : `${type(above)}$${own.type}`;
  };
  return seen.map((one) => `${type(one)}::${one.name}`).sort();
}

/** Programs that have all children between them. UPDATE_GOLDEN=1 writes the file anew: a resource that changes there is replaced everywhere. */
it("keeps the URNs that are recorded, since another one replaces what runs", async () => {
  const caCertificates = issue("CA", { ca: true, permitted: [`federation.${peer.trustDomain}`] }).pem;
  const preview = { preview: true };
  useCluster(withZtwim(root("system.example.com").pem));
  const recorded = {
    procedure: urnsOf(await make({}, preview)),
    stack: urnsOf(await make({ prefix: "" }, preview)),
    all: urnsOf(
      await make(
        {
          ...{ peers: [{ ...peer, caCertificates }], trustPeerCas: true, ownRoute: { labels: {} } },
          ...{ issuer: { type: "ca", selfSigned: true, secretName: "own" }, renewJitterHours: 24 },
          manage: { jwtIssuer: "https://oidc.example.com" },
          federatesWithMode: "static",
        },
        preview,
      ),
    ),
    otherServer: urnsOf(await make({ issuer: { type: "acme", server: "https://ca.example.com/dir" } }, preview)),
    spiffe: urnsOf(await make({ profile: "https_spiffe" }, preview)),
  };
  const file = join(__dirname, "urns.json");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, `${JSON.stringify(recorded, undefined, 2)}\n`);
  expect(recorded).toEqual(JSON.parse(readFileSync(file, "utf8")));
});

it("leaves with a destroy what the SpireServer goes on to need, and ends the trust first", async () => {
  const peers = [{ ...peer }, { ...peer, stack: "cluster0", trustDomain: "a.example" }];
  const seen = await make({ peers, federatesWithMode: "static" }, { preview: true });
  const kept = seen.filter(({ deletedWith }) => deletedWith === "east").map(({ name }) => name);
  // The engine gives it to their children, which are all but those of cert-manager's operator.
  expect(kept).toEqual(["east-certificate", "east-router-access"]);
  const removal = named(seen, "east-spire-server-removal");
  expect(removal.inputs).toMatchObject({
    delete: `node --eval "require('spire-federation/remove-peers')"`,
    environment: { TRUST_DOMAINS: `a.example ${peer.trustDomain}`, OWN_TRUST_DOMAIN: DOMAIN },
  });
  // What depends on something is deleted before it.
  expect(removal.dependencies).toEqual(["east-spire-server-server"]);
});

it("has nothing to take out of the SpireServer without peers", async () => {
  const seen = await make({ peers: [], federatesWithMode: "static" }, { preview: true });
  expect(seen.filter(({ type }) => type === "command:local:Command")).toEqual([]);
});

it("looks at a destroy whether this is its cluster, where the SpireServer lists none of its peers", async () => {
  const { inputs, dependencies } = named(await make({}, { preview: true }), "east-spire-server-removal");
  expect(inputs["environment"]).toMatchObject({ TRUST_DOMAINS: "", OWN_TRUST_DOMAIN: DOMAIN });
  // The trust goes after the server, and with it after this.
  expect(dependencies).toEqual(["east-spire-server-server"]);
});
