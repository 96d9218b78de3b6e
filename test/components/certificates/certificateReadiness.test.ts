import {
  certificateReadiness,
  lookAtCertificate,
  type CertificateState,
} from "../../../components/certificates/certificateReadiness";
import type { Conditioned } from "../../../components/cluster/conditions";
import { clusterOf } from "../readers";

const NAME = "spire-server-federation-tls";
const NAMESPACE = "zero-trust-workload-identity-manager";
const reference = { kind: "Issuer", name: "letsencrypt-http01" } as const;

type Status = NonNullable<NonNullable<Conditioned["status"]>["conditions"]>[number];

const object = (kind: string, name: string, ...conditions: Status[]): Conditioned => ({
  apiVersion: "cert-manager.io/v1",
  kind,
  metadata: { name, namespace: NAMESPACE, generation: 2 },
  status: { conditions },
});
const issuer = object("Issuer", reference.name, { type: "Ready", status: "True" });
const notReady: Status = { type: "Ready", status: "False", reason: "DoesNotExist", message: "no secret" };
const issuedState = (generation: number): CertificateState => ({
  certificate: object("Certificate", NAME, { type: "Ready", status: "True", observedGeneration: generation }),
  issuer,
});

it("is ready when the certificate is, for the specification of now", () => {
  expect(certificateReadiness(NAME, issuedState(2), reference, {})).toEqual({ state: "ready" });
  expect(certificateReadiness(NAME, issuedState(1), reference, {})).toMatchObject({ state: "waiting" });
});

it("waits with the words of whatever is not through", () => {
  const state: CertificateState = {
    certificate: object("Certificate", NAME, notReady, { type: "Issuing", status: "True" }),
    issuer: object("Issuer", reference.name, { type: "Ready", status: "Unknown", reason: "Registering" }),
    requests: [object("CertificateRequest", "r-1", { type: "Ready", status: "False", reason: "Pending" })],
    orders: [
      { metadata: { name: "r-1-1" }, status: { state: "pending" } },
      { metadata: { name: "old" }, status: { state: "valid" } },
    ],
    challenges: [{ metadata: { name: "r-1-1-9" }, status: { state: "pending", reason: "wrong status code 404" } }, {}],
  };
  expect(certificateReadiness(NAME, state, reference, {})).toEqual({
    state: "waiting",
    because: [
      "Ready=False (DoesNotExist): no secret",
      "its issuer: Ready=Unknown (Registering)",
      "CertificateRequest r-1: Ready=False (Pending)",
      "Order r-1-1: pending",
      "Challenge r-1-1-9: pending, wrong status code 404",
      "Challenge without a name: no state yet",
    ].join("; "),
  });
});

it.each<[string, Conditioned]>([
  ["a certificate that is good until its renewal", object("Certificate", NAME, { type: "Ready", status: "True" })],
  ["a certificate that is not issued", object("Certificate", NAME, notReady)],
])("fails with the issuer's own words for %s", (_, certificate) => {
  const broken = object("Issuer", reference.name, {
    type: "Ready",
    status: "False",
    reason: "ErrInit",
    message: "no account",
  });
  const verdict = certificateReadiness(NAME, { certificate, issuer: broken }, reference, {});
  expect(verdict).toMatchObject({ state: "failed", settleSeconds: 15 });
  expect(JSON.stringify(verdict)).toContain("Issuer letsencrypt-http01: Ready=False (ErrInit): no account");
});

it.each(["Failed", "an approver's word"])(
  "fails when cert-manager has given up (%s), instead of waiting an hour",
  (reason) => {
    const issuing: Status = { type: "Issuing", status: "False", reason, message: "order is invalid" };
    const verdict = certificateReadiness(
      NAME,
      { certificate: object("Certificate", NAME, notReady, issuing), issuer },
      reference,
      { context: "cluster1" },
    );
    expect(verdict).toMatchObject({ state: "failed", settleSeconds: 15 });
    expect(JSON.stringify(verdict)).toContain("order is invalid");
    expect(JSON.stringify(verdict)).toContain(`cmctl --context cluster1 renew ${NAME} -n ${NAMESPACE}`);
  },
);

describe("has patience, but not for ever,", () => {
  const waiting = object("Certificate", NAME, notReady, { type: "Issuing", status: "True" });
  const challenge = (type: string, status: object): CertificateState => ({
    certificate: waiting,
    issuer,
    challenges: [{ metadata: { name: "r-1-1-9" }, spec: { type }, status }],
  });
  const propagating = { state: "pending", reason: "wrong status code '503', expected '200'" };

  it.each<[string, CertificateState, string[]]>([
    [
      "with an issuer of which cert-manager says nothing",
      { certificate: waiting, issuer: object("Issuer", "x") },
      ["Issuer letsencrypt-http01 has no condition Ready"],
    ],
    [
      "with a challenge that is not answered",
      challenge("HTTP-01", propagating),
      [
        "Challenge r-1-1-9: pending, wrong status code '503', expected '200'",
        "issuer.ingressClassName",
        "NetworkPolicy or service mesh",
      ],
    ],
  ])("%s", (_, state, said) => {
    const verdict = certificateReadiness(NAME, state, reference, {});
    expect(verdict).toMatchObject({ state: "failed", settleSeconds: 60 });
    expect(said.filter((text) => !JSON.stringify(verdict).includes(text))).toEqual([]);
  });

  it.each<[string, CertificateState]>([
    ["a challenge that nobody has looked at", challenge("HTTP-01", { state: "pending" })],
    ["DNS, which takes its time", challenge("DNS-01", propagating)],
  ])("and waits for %s", (_, state) => {
    expect(certificateReadiness(NAME, state, reference, {})).toMatchObject({ state: "waiting" });
  });
});

it.each<[string, CertificateState, string]>([
  [
    "issuer",
    { certificate: object("Certificate", NAME, notReady), issuer: undefined },
    "Issuer letsencrypt-http01 is not there",
  ],
  ["certificate", { certificate: undefined, issuer }, `Certificate ${NAME} is not there`],
])("fails when the %s is not there", (_, state, because) => {
  expect(certificateReadiness(NAME, state, reference, {})).toMatchObject({
    state: "failed",
    because: expect.stringContaining(because) as string,
  });
});

describe("the look at the cluster", () => {
  const certificate = object("Certificate", NAME, notReady);
  const of = (name: string): object => ({ annotations: { "cert-manager.io/certificate-name": name } });

  it("reads the certificate and its issuer alone when both are ready", async () => {
    const kinds: string[] = [];
    const reader = clusterOf(object("Certificate", NAME, { type: "Ready", status: "True" }), issuer);
    const spying = {
      ...reader,
      get: (...args: Parameters<typeof reader.get>) => (kinds.push(args[1]), reader.get(...args)),
    };
    expect(await lookAtCertificate(spying as typeof reader, NAME, reference)).toEqual({ state: "ready" });
    expect(kinds).toEqual(["Certificate", "Issuer"]);
  });

  it("tells of this certificate's requests, orders and challenges only", async () => {
    const acme = (kind: string, name: string, metadata: object = {}): object => ({
      apiVersion: "acme.cert-manager.io/v1",
      kind,
      metadata: { name, namespace: NAMESPACE, ...metadata },
      status: { state: "pending" },
    });
    const request = (name: string, owner: string): Conditioned => ({
      ...object("CertificateRequest", name, notReady),
      metadata: { name, namespace: NAMESPACE, ...of(owner) },
    });
    const verdict = await lookAtCertificate(
      clusterOf(
        certificate,
        issuer,
        request("mine-1", NAME),
        request("other-1", "other"),
        acme("Order", "mine-1-5", of(NAME)),
        acme("Order", "other-1-5", of("other")),
        acme("Challenge", "mine-1-5-7"),
        acme("Challenge", "other-1-5-7"),
      ),
      NAME,
      reference,
    );
    const said = JSON.stringify(verdict);
    expect(["mine-1:", "Order mine-1-5:", "Challenge mine-1-5-7:"].filter((name) => !said.includes(name))).toEqual([]);
    expect(said).not.toContain("other");
  });

  it("finds a ClusterIssuer, which has no namespace", async () => {
    const clusterIssuer = { ...issuer, kind: "ClusterIssuer", metadata: { name: "corporate" } };
    const cluster = clusterOf(certificate, clusterIssuer);
    const verdict = await lookAtCertificate(cluster, NAME, { kind: "ClusterIssuer", name: "corporate" });
    expect(verdict).toMatchObject({ state: "waiting" });
  });
});
