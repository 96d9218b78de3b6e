/** One thing that is wrong in a member, and what is to be said of it. */
import { root } from "../../components/issue";
import type { Presented } from "../../../mesh/verify/presented";
import {
  agentLine,
  bundleOf,
  certificateOf,
  type Cluster,
  hostOf,
  type Live,
  NOW,
  objectIn,
  pollLine,
  presentedOf,
  removeFrom,
  trustDomainOf,
} from "./fixture";

const HOUR = 3600_000;
const before = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();
const one = "cluster1";

export type Change = (cluster1: Cluster, clusters: Record<string, Cluster>) => void;

export const set = (kind: string, path: string, value: unknown, name?: string) => (cluster: Cluster) => {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce<Record<string, unknown>>(
    (object, key) => (object[key] ??= {}) as Record<string, unknown>,
    objectIn(cluster, kind, name),
  );
  parent[last] = value;
};
const remove = (kind: string, name?: string) => (cluster: Cluster) => {
  removeFrom(cluster, kind, name);
};
const containerDown = (name: string) => (cluster: Cluster) => {
  const pod = objectIn(cluster, "Pod") as unknown as {
    status: {
      containerStatuses: { name: string; ready: boolean; restartCount: number; state: object; lastState?: object }[];
    };
  };
  for (const status of pod.status.containerStatuses.filter((container) => container.name === name)) {
    status.ready = false;
    status.restartCount = 7;
    status.state = { waiting: { reason: "CrashLoopBackOff" } };
    status.lastState = { terminated: { exitCode: 1 } };
  }
};
const notReady = {
  conditions: [{ type: "Ready", status: "False", reason: "ErrRegisterACMEAccount", message: "no route to host" }],
};
export const trustObject = (name: string, spec: object): Live => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterFederatedTrustDomain",
  metadata: { name },
  spec,
});
export const FAILED_TO_ATTEST = "Failed to collect all selectors for PID";
export const KUBELET_FORBIDS =
  'workload attestor "k8s" failed: rpc error: code = Internal desc = workloadattestor(k8s): unexpected status code on pods response: 403 Forbidden (user=system:serviceaccount:zero-trust-workload-identity-manager:spire-agent, verb=get, resource=nodes, subresource=[proxy])';
export const CLASS = "zero-trust-workload-identity-manager-spire";
export const CFTD = "ClusterFederatedTrustDomain";

/** One thing is wrong in cluster1; which checks fail, and what the cure of the first says. */
export const FAULTS: [string, Change, string[], RegExp][] = [
  [
    "cert-manager is down",
    set("Deployment", "status.readyReplicas", 0),
    ["cluster1 MESH102"],
    /get clusterserviceversions\.operators\.coreos\.com,deployments,pods/,
  ],
  [
    "cert-manager is not there",
    remove("Subscription"),
    ["cluster1 MESH102"],
    /get clusterserviceversions\.operators\.coreos\.com,deployments,pods/,
  ],
  [
    "another trust domain",
    set("ZeroTrustWorkloadIdentityManager", "spec.trustDomain", "elsewhere"),
    ["cluster1 MESH103"],
    /Pulumi\.cluster1\.yaml/,
  ],
  [
    "create-only mode",
    set("SpireServer", "status.conditions", [
      { type: "Ready", status: "True" },
      { type: "CreateOnlyMode", status: "True" },
    ]),
    ["cluster1 MESH104"],
    /CREATE_ONLY_MODE/,
  ],
  [
    "the Issuer is broken",
    set("Issuer", "status", notReady),
    ["cluster1 MESH111"],
    /describe issuer letsencrypt-http01/,
  ],
  ["the Issuer is gone", remove("Issuer"), ["cluster1 MESH111"], /up --refresh --stack cluster1/],
  ["the Issuer is another", set("Issuer", "spec", { selfSigned: {} }), ["cluster1 MESH111"], /up --refresh/],
  ["the Certificate is gone", remove("Certificate"), ["cluster1 MESH112"], /up --refresh --stack cluster1/],
  [
    "the Certificate is for another host",
    set("Certificate", "spec.dnsNames", ["x.org"]),
    ["cluster1 MESH112"],
    /up --refresh/,
  ],
  [
    "the Certificate is by another issuer",
    set("Certificate", "spec.issuerRef.name", "x"),
    ["cluster1 MESH112"],
    /up --refresh/,
  ],
  [
    "the certificate is not issued",
    set("Certificate", "status", notReady),
    ["cluster1 MESH113"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "the renewal is overdue",
    set("Certificate", "status.renewalTime", new Date(NOW.getTime() - 2 * HOUR).toISOString()),
    ["cluster1 MESH114"],
    /cert-manager runs/,
  ],
  ["the Role is gone", remove("Role"), ["cluster1 MESH121"], /up --refresh --stack cluster1/],
  [
    "the Role is wider",
    set("Role", "rules", [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }]),
    ["cluster1 MESH121"],
    /up --refresh/,
  ],
  [
    "the RoleBinding is for somebody else",
    set("RoleBinding", "subjects", [{ kind: "ServiceAccount", name: "x", namespace: "y" }]),
    ["cluster1 MESH122"],
    /up --refresh/,
  ],
  ["the router may not read the secret all the same", (c) => (c.verbs = ["get"]), ["cluster1 MESH123"], /up --refresh/],
  [
    "another refreshHint",
    set("SpireServer", "spec.federation.bundleEndpoint.refreshHint", 60),
    ["cluster1 MESH131"],
    /up --refresh/,
  ],
  [
    "keys live too short for peers to learn of the next ones",
    set("SpireServer", "spec.caValidity", "3m0s"),
    ["cluster1 MESH153"],
    /^set caValidity to 4m0s or more, or endpoint\.refreshHint to 220 or less$/,
  ],
  ["another server.conf", set("ConfigMap", "data", { "server.conf": "{}" }), ["cluster1 MESH132"], /CreateOnlyMode/],
  [
    "a StatefulSet of another server.conf",
    set("StatefulSet", "spec.template.metadata.annotations", {}),
    ["cluster1 MESH133"],
    /get spireserver cluster -o yaml/,
  ],
  [
    "the SPIRE server crashes",
    containerDown("spire-server"),
    ["cluster1 MESH134"],
    /logs spire-server-0 -c spire-server --previous/,
  ],
  [
    "the controller manager crashes",
    containerDown("spire-controller-manager"),
    ["cluster1 MESH135"],
    /-c spire-controller-manager --previous/,
  ],
  [
    "an agent is down",
    set("DaemonSet", "status.numberReady", 0),
    ["cluster1 MESH136"],
    /describe daemonset spire-agent/,
  ],
  [
    "an agent cannot attest",
    (c) => (c.agentLogs["spire-agent-a"] = agentLine(30, FAILED_TO_ATTEST, { error: KUBELET_FORBIDS, pid: "7" })),
    ["cluster1 MESH137"],
    /auth can-i get nodes\/proxy/,
  ],
  [
    "the CSI driver is down on a node",
    set("DaemonSet", "status.numberReady", 0, "spire-spiffe-csi-driver"),
    ["cluster1 MESH138"],
    /describe daemonset spire-spiffe-csi-driver/,
  ],
  [
    "the OIDC discovery provider is down",
    set("Deployment", "status.readyReplicas", 0, "spire-spiffe-oidc-discovery-provider"),
    ["cluster1 MESH139"],
    /describe deployment spire-spiffe-oidc-discovery-provider/,
  ],
  [
    "the OIDC discovery provider is not there",
    remove("Deployment", "spire-spiffe-oidc-discovery-provider"),
    ["cluster1 MESH139"],
    /get spireoidcdiscoveryprovider cluster -o yaml/,
  ],
  ["the Route is gone", remove("Route"), ["cluster1 MESH141"], /get spireserver/],
  ["the Route has another host", set("Route", "spec.host", "x.org"), ["cluster1 MESH141"], /get spireserver/],
  [
    "the Route is refused",
    set("Route", "status.ingress", [
      {
        host: hostOf(one),
        conditions: [{ type: "Admitted", status: "False", reason: "ExternalCertificateValidationFailed" }],
      },
    ]),
    ["cluster1 MESH142"],
    /annotate route spire-server-federation/,
  ],
  [
    "the endpoint is down",
    (c) => (c.presented = new Error("connect ECONNREFUSED")),
    ["cluster1 MESH143"],
    /get pods -n openshift-ingress/,
  ],
  [
    "the endpoint answers with an error",
    (c) => (c.presented = { ...presentedOf(c.own, hostOf(one)), status: 503 }),
    ["cluster1 MESH143"],
    /curl -v https:/,
  ],
  [
    "an expired certificate",
    (c) => {
      const times = { notBefore: new Date(NOW.getTime() - 2 * HOUR), notAfter: new Date(NOW.getTime() - HOUR) };
      const expired = presentedOf(c.own, hostOf(one), certificateOf(hostOf(one), times));
      c.presented = { ...expired, refused: "CERT_HAS_EXPIRED" };
    },
    ["cluster1 MESH144", "cluster1 MESH149"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "a certificate for another host",
    (c) => (c.presented = presentedOf(c.own, hostOf(one), certificateOf("x.org"))),
    ["cluster1 MESH145", "cluster1 MESH149"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "a certificate by an unknown CA",
    (c) => {
      if (!(c.presented instanceof Error))
        c.presented = { ...c.presented, refused: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" };
    },
    ["cluster1 MESH146"],
    /endpoint\.ca/,
  ],
  [
    "a certificate below a CA that has expired",
    (c) => {
      if (!(c.presented instanceof Error)) c.presented = { ...c.presented, refused: "CERT_HAS_EXPIRED" };
    },
    ["cluster1 MESH146"],
    /endpoint\.ca/,
  ],
  [
    "another trust domain's bundle",
    (c, { cluster2 }) => (c.presented = presentedOf((cluster2 as Cluster).own, hostOf(one), presentedCertificate(c))),
    ["cluster1 MESH147"],
    /get route spire-server-federation/,
  ],
  [
    "a JWT key that is none, which something before the SPIRE server adds",
    (c) => (c.presented = withOddKey(c, "odd")),
    ["cluster1 MESH147"],
    /get route spire-server-federation/,
  ],
  [
    "a JWT key that is none, which the SPIRE server has itself",
    (c) => {
      c.presented = withOddKey(c, "odd");
      c.own = { ...c.own, jwtKeys: [...c.own.jwtKeys, { id: "odd", publicKey: Buffer.from("AA") }] };
    },
    ["cluster1 MESH147"],
    /localauthority jwt prepare.*activate.*jwt taint -authorityID odd && .*jwt revoke -authorityID odd$/,
  ],
  [
    "a bundle with keys that the SPIRE server doesn't have",
    (c) =>
      (c.presented = presentedOf(bundleOf(one, root(trustDomainOf(one)), "x"), hostOf(one), presentedCertificate(c))),
    ["cluster1 MESH148"],
    /get route/,
  ],
  [
    "a renewed certificate that is not served",
    (c) => (c.presented = presentedOf(c.own, hostOf(one))),
    ["cluster1 MESH149"],
    /annotate route/,
  ],
  ["the operator is not content", set("SpireServer", "status", notReady), ["cluster1 MESH151"], /get spireserver/],
  [
    "a foreign ClusterFederatedTrustDomain",
    (c) =>
      c.objects.push(trustObject("x", { trustDomain: "x.org", className: CLASS, bundleEndpointURL: "https://x.org" })),
    ["cluster1 MESH301"],
    /delete clusterfederatedtrustdomain x/,
  ],
  [
    "a foreign entry of federatesWith",
    (c) => {
      const spec = objectIn(c, "SpireServer")["spec"] as unknown as { federation: { federatesWith: object[] } };
      spec.federation.federatesWith.push({
        trustDomain: "x.org",
        bundleEndpointUrl: "https://x.org",
        bundleEndpointProfile: "https_web",
      });
    },
    // The operator has not written it yet.
    ["cluster1 MESH132", "cluster1 MESH302"],
    /server\.conf|operator/,
  ],
  [
    "a bundle that was left",
    (c) => c.bundles.push(bundleOf("x", root("apps.x.example.com"), "x")),
    ["cluster1 MESH303"],
    /bundle delete -id spiffe:\/\/apps\.x\.example\.com/,
  ],
  [
    "a ClusterFederatedTrustDomain is gone",
    remove(CFTD, "cluster2-federation"),
    ["cluster1->cluster2 MESH201"],
    /up --refresh --stack cluster1/,
  ],
  [
    "a ClusterFederatedTrustDomain of another class",
    set(CFTD, "spec.className", "x", "cluster2-federation"),
    ["cluster1->cluster2 MESH202"],
    /up --refresh/,
  ],
  [
    "a ClusterFederatedTrustDomain with another URL",
    set(CFTD, "spec.bundleEndpointURL", "https://x.org", "cluster2-federation"),
    ["cluster1->cluster2 MESH203"],
    /up --refresh/,
  ],
  [
    "no relationship",
    (c) => c.relationships.shift(),
    ["cluster1->cluster2 MESH205"],
    /logs spire-server-0 -c spire-controller-manager/,
  ],
  [
    "no bundle",
    (c) => c.bundles.shift(),
    ["cluster1->cluster2 MESH211", "cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "X.509 roots of before the peer's rotation",
    (c) => Object.assign(c.bundles[0] ?? {}, { roots: [root(trustDomainOf("cluster2")).certificate.raw] }),
    ["cluster1->cluster2 MESH211"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "JWT keys of before the peer's rotation",
    (c) => Object.assign(c.bundles[0] ?? {}, { jwtKeys: [{ id: "old", publicKey: Buffer.from("old") }] }),
    ["cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "a forged JWT key by the name of the peer's",
    (c) =>
      Object.assign(c.bundles[0] ?? {}, { jwtKeys: [{ id: "jwt-of-cluster2", publicKey: Buffer.from("forged") }] }),
    ["cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "a JWT key beside those of the peer",
    (c) => {
      c.bundles[0]?.jwtKeys.push({ id: "more", publicKey: Buffer.from("more") });
      c.log = c.log
        .split("\n")
        .map((line) => line.replace(/time="[^"]+"/, `time="${before(700)}"`))
        .join("\n");
    },
    ["cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "a peer that wants to be polled again in years",
    (c) => Object.assign(c.bundles[0] ?? {}, { refreshHint: 1e9 }),
    ["cluster1->cluster2 MESH215"],
    /federation refresh -id apps\.cluster2.* 60 to 3600 seconds/,
  ],
  [
    "polls that fail",
    (c) =>
      (c.log = [
        pollLine(900, "Bundle refreshed", trustDomainOf("cluster2")),
        pollLine(
          60,
          "Error updating bundle",
          trustDomainOf("cluster2"),
          'Get "https://x": x509: certificate signed by unknown authority',
        ),
        pollLine(30, "Bundle refreshed", trustDomainOf("cluster3")),
      ].join("\n")),
    ["cluster1->cluster2 MESH213"],
    /trusted CAs of ZTWIM.*federation refresh -id apps\.cluster2/,
  ],
];

/** What the endpoint serves, with one more JWT key, which is on no curve. */
function withOddKey({ presented }: Cluster, kid: string): Presented {
  if (presented instanceof Error) throw presented;
  const bundle = JSON.parse(presented.body) as { keys: object[] };
  const odd = { use: "jwt-svid", kid, kty: "EC", crv: "P-256", x: "AA", y: "AA" };
  return { ...presented, body: JSON.stringify({ ...bundle, keys: [...bundle.keys, odd] }) };
}

export const presentedCertificate = ({ presented }: Cluster) => {
  if (presented instanceof Error) throw presented;
  return presented.certificate;
};
