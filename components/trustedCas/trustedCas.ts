/** Which CAs SPIRE trusts for endpoints with https_web, and whether those of the peers are among them. */
import { createHash, X509Certificate } from "node:crypto";
import { splitPem } from "../shared/arguments";
import type { ClusterReader, ConfigMap } from "../cluster/cluster";
import { OPERAND_NAMESPACE, TRUSTED_CA_ENV, ZTWIM } from "../shared/names";
import { type EnvVar, type Subscription, SUBSCRIPTION_API, type SubscriptionReference } from "../operators/olm";
import { NotDer } from "../bundle/der";
import { fingerprintOf } from "../bundle/jwtKey";
import { byTrustDomain, type Peer, type PeerArgs } from "../bundle/peer";
import { permittedDnsNames } from "../bundle/x509Extensions";
import { isKnown } from "../shared/known";
import { problem, type Problem } from "../shared/problem";

export const CA_KEY = "ca-bundle.crt";

/** Our ConfigMaps are called by a hash of their content: Go reads the CAs once, and another name restarts SPIRE. */
export const PEER_CAS_PREFIX = "spire-federation-peer-cas-";

/** What ZTWIM's Subscription says of it. */
export interface TrustedCas {
  /** Undefined where OLM has not installed ZTWIM. */
  subscription: SubscriptionReference | undefined;
  /** All of `spec.config.env`. */
  env: readonly EnvVar[];
  /** The ConfigMap that the variable names, with its CAs (PEM); empty where there are none. */
  configMap?: { name: string; pem: string };
}

export async function readTrustedCas(reader: ClusterReader): Promise<TrustedCas> {
  const all = await reader.list<Subscription>(SUBSCRIPTION_API, "Subscription");
  const found = all.find(({ spec }) => spec?.name === ZTWIM.packageName);
  const env = found?.spec?.config?.env ?? [];
  const name = env.find((variable) => variable.name === TRUSTED_CA_ENV)?.value;
  return {
    subscription: found && { namespace: found.metadata?.namespace ?? "", name: found.metadata?.name ?? "" },
    env,
    // The operator takes an empty one as not set.
    ...(name && { configMap: { name, pem: await readCas(reader, name) } }),
  };
}

/** The ConfigMap that the variable names, where it is not this program's. */
export const foreignCas = ({ configMap }: TrustedCas): TrustedCas["configMap"] =>
  configMap?.name.startsWith(PEER_CAS_PREFIX) === false ? configMap : undefined;

/** The CAs in a ConfigMap of the operands' namespace. */
export async function readCas(reader: ClusterReader, name: string): Promise<string> {
  return (await reader.get<ConfigMap>("v1", "ConfigMap", name, OPERAND_NAMESPACE))?.data?.[CA_KEY] ?? "";
}

/** What is to be done about the peers whose endpoints have certificates of CAs that are not public. */
export interface CaPlan {
  problems: Problem[];
  warnings: string[];
  /** Peers whose CAs this stack is to give to SPIRE; undefined when there is nothing to do. */
  trust?: Peer[];
}

/** The parts of a peer that are about the CA of its endpoint. */
type CaPeer = Pick<Peer, "stack" | "profile" | "bundleEndpointUrl" | "caCertificates" | "caFingerprints">;

export const hasPrivateCa = ({ profile, caCertificates }: CaPeer): boolean =>
  profile === "https_web" && caCertificates !== undefined;

/** Whether it has, or is not yet known to have none. */
export const mayHavePrivateCa = ({ profile, caCertificates }: PeerArgs): boolean =>
  (!isKnown(profile) || profile === "https_web") && caCertificates !== undefined;

/** Whether all of these parts are known. */
export const isCaKnown = (peer: PeerArgs): peer is PeerArgs & CaPeer =>
  [peer.profile, peer.bundleEndpointUrl, peer.caCertificates, peer.caFingerprints]
    .flat()
    .every((part) => isKnown<unknown>(part));

/** Pure. */
export function planTrust(trustPeerCas: boolean, peers: readonly Peer[], live: TrustedCas): CaPlan {
  const plan: CaPlan = { problems: [], warnings: [] };
  const wanted = peers.filter(hasPrivateCa);
  const foreign = foreignCas(live);
  const lacking = wanted.filter((peer) => missingCas(peer, foreign?.pem ?? "").length > 0);
  if (lacking.length === 0) return plan;
  const names = lacking.map(({ stack }) => stack).join(", ");
  if (!trustPeerCas) {
    plan.warnings.push(
      `The endpoints of ${names} have certificates of CAs that are not public, and SPIRE here does not trust them: it cannot ` +
        "fetch these bundles itself, and trust ends when a peer rotates its CA. Set trustPeerCas to true.",
    );
  } else if (live.subscription === undefined) {
    const cure = `set ${TRUSTED_CA_ENV} where ZTWIM's operator is installed, and trustPeerCas to false`;
    plan.problems = problem("trustPeerCas", `no Subscription of ${ZTWIM.packageName} is there to be changed; ${cure}`);
  } else if (foreign !== undefined) {
    const { namespace, name } = live.subscription;
    plan.problems = problem(
      "trustPeerCas",
      `Subscription ${namespace}/${name} has ${TRUSTED_CA_ENV} "${foreign.name}" of somebody else, which lacks the CAs of ` +
        `${names}; add them to that ConfigMap (where OpenShift fills it: to the trustedCA of proxy/cluster) and restart ` +
        "SPIRE, or take the variable out of the Subscription",
    );
  } else {
    plan.trust = wanted;
  }
  return plan;
}

/**
 * The peer's CA certificates with which SPIRE would trust whoever holds their key for every host: those that are neither
 * limited to the endpoint's host by their name constraints nor pinned. Pure.
 *
 * @param trusted CAs (PEM) that SPIRE trusts already
 */
export function unboundCas(peer: CaPeer, trusted = ""): X509Certificate[] {
  const { bundleEndpointUrl, caFingerprints = [] } = peer;
  if (!hasPrivateCa(peer)) return [];
  const { hostname } = new URL(bundleEndpointUrl);
  return missingCas(peer, trusted)
    .map((pem) => new X509Certificate(pem))
    .filter(({ raw }) => !caFingerprints.includes(fingerprintOf(raw)) && !isBoundTo(hostname, raw));
}

/** What is wrong with CAs that SPIRE is to trust, and the ways out; undefined for nothing. */
export function describeUnbound(peer: CaPeer, unbound: readonly X509Certificate[]): string | undefined {
  if (unbound.length === 0) return undefined;
  const pins = unbound.map(({ raw }) => fingerprintOf(raw));
  const cas = unbound.map(({ subject }, index) => `${subjectText(subject)}, sha256 ${pins[index] ?? ""}`).join("; ");
  return (
    `whoever has the key of peer ${peer.stack}'s CA (${cas}) could pass for every https_web peer and for every other server ` +
    `that SPIRE asks. Compare the sha256 with the peer's owner and add caFingerprints: [${pins.join(", ")}] to its entry of ` +
    `peers; or give its endpoint a CA whose name constraints permit ${new URL(peer.bundleEndpointUrl).hostname} alone, or ` +
    "profile https_spiffe, which needs no CA"
  );
}

/** The pins of all CAs of a peer. */
export const caFingerprintsOf = ({ caCertificates = "" }: Pick<Peer, "caCertificates">): string[] =>
  splitPem(caCertificates).map((pem) => fingerprintOf(new X509Certificate(pem).raw));

/** Whether a CA may sign for the host, and besides at most for names below it. */
function isBoundTo(host: string, ca: Buffer): boolean {
  try {
    const permitted = permittedDnsNames(ca).map((name) => name.toLowerCase());
    return permitted.includes(host) && permitted.every((name) => name === host || name.endsWith(`.${host}`));
  } catch (error) {
    if (error instanceof NotDer) return false;
    throw error;
  }
}

/** The peer's CA certificates (PEM) that are not among `pem`. */
export function missingCas({ caCertificates = "" }: Pick<Peer, "caCertificates">, pem: string): string[] {
  const known = new Set(splitPem(pem).map(derOf));
  return splitPem(caCertificates).filter((certificate) => !known.has(derOf(certificate)));
}

/** The cluster's own CAs and the peers', each once, and a name that tells this content from any other. */
export function peerCas(roots: string, peers: readonly Peer[]): { name: string; pem: string } {
  const certificates = new Map<string, string>();
  const ofPeers = [...peers].sort(byTrustDomain);
  for (const pem of [roots, ...ofPeers.map(({ caCertificates = "" }) => caCertificates)]) {
    for (const certificate of splitPem(pem)) certificates.set(derOf(certificate), certificate);
  }
  const pem = [...certificates.values()].map((certificate) => `${certificate}\n`).join("");
  return { name: PEER_CAS_PREFIX + createHash("sha256").update(pem).digest("hex").slice(0, 12), pem };
}

/** `CN=internal CA` and the like, of the peer's first CA. */
export function describeCa({ caCertificates = "" }: Pick<Peer, "caCertificates">): string {
  const [first] = splitPem(caCertificates);
  return first === undefined ? "a CA" : `CA ${subjectText(new X509Certificate(first).subject)}`;
}

const subjectText = (subject: string): string => subject.replaceAll("\n", ", ");

/** What makes two PEM blocks the same certificate. */
function derOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, "");
}
