import * as pulumi from "@pulumi/pulumi";
import { FederationCertificate, type FederationCertificateArgs } from "../../components/federationCertificate";
import type { Cluster } from "../../components/cluster/cluster";
import type { IssuerArgs } from "../../components/certificates/issuer";
import { readiness } from "../../components/shared/gate";
import { named, record, valueOf, type Seen } from "../mocks";
import { HOST, NAMESPACE, ready, silentCluster } from "./given";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));

/** Every issuer that there could be is ready. */
const allIssuers: Cluster = {
  ...ready,
  get: (apiVersion, kind, name, namespace) =>
    ready.get(apiVersion, kind, kind === "Issuer" ? "internal-ca" : name, namespace),
};
const args: FederationCertificateArgs = { host: HOST, issuer: { type: "acme" } };

const make = (changed: Partial<FederationCertificateArgs> = {}): Promise<Seen[]> =>
  record(
    async () => {
      await readiness(new FederationCertificate("cert", { ...args, ...changed }));
    },
    { outputs: (type) => (type === "random:index/randomInteger:RandomInteger" ? { result: 7 } : {}) },
  );

beforeEach(() => {
  useCluster(allIssuers);
});

const spec = (seen: Seen[], name: string): unknown => named(seen, name).inputs["spec"];

it("asks for the procedure's certificate", async () => {
  const { inputs } = named(await make(), "cert-certificate");
  expect(inputs).toEqual({
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: {
      name: "spire-server-federation-tls",
      namespace: NAMESPACE,
      annotations: expect.objectContaining({
        "pulumi.com/skipAwait": "true",
        "pulumi.com/patchForce": "true",
      }) as object,
    },
    spec: {
      secretName: "spire-server-federation-tls",
      duration: "2160h",
      renewBefore: "360h",
      commonName: HOST,
      dnsNames: [HOST],
      usages: ["server auth", "digital signature", "key encipherment"],
      issuerRef: { kind: "Issuer", name: "letsencrypt-http01" },
    },
  });
});

it("leaves out a common name of more than 64 characters", async () => {
  const name = (host: string): Promise<unknown> =>
    make({ host }).then((seen) => (spec(seen, "cert-certificate") as { commonName?: string }).commonName);
  const longest = `${"x".repeat(60)}.com`;
  expect([await name(longest), await name(`x${longest}`)]).toEqual([longest, undefined]);
});

describe("issuers", () => {
  it.each<[string, IssuerArgs, Record<string, unknown>, object]>([
    [
      "the procedure's ACME issuer",
      { type: "acme" },
      {
        "cert-letsencrypt-http01 letsencrypt-http01": {
          acme: {
            server: "https://acme-v02.api.letsencrypt.org/directory",
            privateKeySecretRef: { name: "letsencrypt-account-key" },
            solvers: [{ http01: { ingress: { ingressClassName: "openshift-default" } } }],
          },
        },
      },
      { kind: "Issuer", name: "letsencrypt-http01" },
    ],
    [
      "another ACME server",
      { type: "acme", server: "https://ca.example.com/dir", email: "ops@example.com", ingressClassName: "public" },
      {
        "cert-letsencrypt-http01-e2650586 letsencrypt-http01-e2650586": {
          acme: {
            server: "https://ca.example.com/dir",
            email: "ops@example.com",
            privateKeySecretRef: { name: "letsencrypt-account-key" },
            solvers: [{ http01: { ingress: { ingressClassName: "public" } } }],
          },
        },
      },
      { kind: "Issuer", name: "letsencrypt-http01-e2650586" },
    ],
    [
      "the procedure's internal CA",
      { type: "ca" },
      { "cert-internal-ca internal-ca": { ca: { secretName: "internal-ca-key-pair" } } },
      { kind: "Issuer", name: "internal-ca" },
    ],
    [
      "an internal CA that cert-manager makes",
      { type: "ca", secretName: "our-ca", selfSigned: true },
      {
        "cert-root-issuer internal-ca-root": { selfSigned: {} },
        "cert-root internal-ca-root": {
          secretName: "our-ca-fc23bf70",
          isCA: true,
          commonName: "internal-ca",
          duration: "87600h",
          privateKey: { algorithm: "ECDSA", size: 256 },
          usages: ["cert sign", "crl sign"],
          nameConstraints: { critical: true, permitted: { dnsDomains: [HOST] } },
          issuerRef: { kind: "Issuer", name: "internal-ca-root" },
        },
        "cert-internal-ca-3e700893 internal-ca-3e700893": { ca: { secretName: "our-ca-fc23bf70" } },
      },
      { kind: "Issuer", name: "internal-ca-3e700893" },
    ],
    [
      "an issuer that exists",
      { type: "existing", kind: "ClusterIssuer", name: "corporate" },
      {},
      { kind: "ClusterIssuer", name: "corporate" },
    ],
  ])("can be %s", async (_, issuer, objects, issuerRef) => {
    const seen = await make({ issuer });
    const made = seen.filter(({ name }) => name !== "cert" && name !== "cert-certificate");
    const nameOf = ({ inputs }: Seen): string => (inputs["metadata"] as { name: string }).name;
    expect(Object.fromEntries(made.map((one) => [`${one.name} ${nameOf(one)}`, one.inputs["spec"]]))).toEqual(objects);
    expect(spec(seen, "cert-certificate")).toMatchObject({ issuerRef });
    // What a certificate is signed with is there before it, and goes after it.
    expect(named(seen, "cert-certificate").dependencies).toEqual(made.map(({ name }) => name).sort());
  });
});

describe("the renewal", () => {
  it("is spread by a number of hours that is drawn once", async () => {
    const seen = await make({ renewJitterHours: 24 });
    expect(named(seen, "cert-renewal").inputs).toMatchObject({ min: 0, max: 24 });
    expect(spec(seen, "cert-certificate")).toMatchObject({ duration: "2160h", renewBefore: "367h0m0s" });
  });

  it("is the one that was asked for when it is not spread", async () => {
    expect(spec(await make({ renewBefore: "480h" }), "cert-certificate")).toMatchObject({ renewBefore: "480h" });
  });
});

it("tells the secret's name when the certificate is issued, so that nobody refers to it before", async () => {
  let told = false;
  useCluster(silentCluster());
  await record(
    () => {
      new FederationCertificate("cert", args).secretName.apply(() => (told = true));
    },
    { stalls: true },
  );
  expect(told).toBe(false);
  useCluster(allIssuers);
  await record(async () => {
    expect(await valueOf(new FederationCertificate("cert", args).secretName)).toBe("spire-server-federation-tls");
  });
});

it("shows the secret's name in a preview", async () => {
  useCluster(clusterOf());
  await record(
    async () => {
      const component = new FederationCertificate("cert", args);
      expect(await valueOf(component.secretName)).toBe("spire-server-federation-tls");
    },
    { preview: true },
  );
});

it("refuses everything that is wrong at once, and makes nothing", async () => {
  const seen = await record(() => {
    const wrong = {
      ...args,
      host: "x",
      duration: "90d",
      issuer: { type: "acme", server: "http://x", email: "x" },
    } as const;
    expect(() => new FederationCertificate("cert", wrong)).toThrow(
      /^cert: .*\n {2}host: .*\n {2}issuer\.server: .*\n {2}issuer\.email: .*\n {2}duration: /,
    );
  });
  expect(seen.map(({ name }) => name)).toEqual(["cert"]);
});

it.each<[string, IssuerArgs, RegExp]>([
  [
    "of another type",
    { type: "ca", server: "https://ca.example.com/dir" },
    /issuer\.server: has no effect with type ca/,
  ],
  ["without its name", { type: "existing" }, /issuer\.name: is not set/],
])("refuses an issuer %s", async (_, issuer, message) => {
  await record(() => {
    expect(() => new FederationCertificate("cert", { ...args, issuer })).toThrow(message);
  });
});

it.each<[string, IssuerArgs, boolean]>([
  ["is not known with an internal CA", { type: "ca" }, false],
  ["is none with ACME", { type: "acme" }, true],
])("in a preview of a certificate that is yet to be issued the CA %s", async (_, issuer, known) => {
  useCluster(clusterOf());
  let value: unknown;
  await record(
    async () => {
      const { caCertificates } = new FederationCertificate("cert", { ...args, issuer });
      value = await pulumi.runtime.serializeProperty("ca", caCertificates);
    },
    { preview: true },
  );
  expect(value).toBe(known ? undefined : pulumi.runtime.unknownValue);
});

it("is deleted before it is made under another name: of two with one secret cert-manager issues the older one alone", async () => {
  expect(named(await make({}), "cert-certificate").deleteBeforeReplace).toBe(true);
});
