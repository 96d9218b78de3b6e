/** The config by which a stack asks for what a cluster has already. Pure. */
import { isDeepStrictEqual } from "node:util";
import { FILE_SYNC_INTERVAL, REFRESH_HINT } from "../../components/arguments";
import type { TrustObject } from "../../components/bundleMark";
import { objectName } from "../../components/federatedTrustDomain";
import { CERTIFICATE_DEFAULTS } from "../../components/federationCertificate";
import { federationRoute } from "../../components/federationRoute";
import type { FederationSpec } from "../../components/federationSpec";
import { planIssuer, type IssuerArgs } from "../../components/issuer";
import { CERTIFICATE_SECRET, FEDERATION_CLASS, OPERAND_NAMESPACE, PROGRAM } from "../../components/names";
import { serverSpiffeId } from "../../components/peer";
import { isObject } from "../../components/untyped";
import { definedOnly } from "../../stacks/fields";
import type { LiveIssuer, Survey } from "./survey";

/** Something that this program does not take over as it is. */
export interface Obstacle {
  /** Kind and name of the object. */
  object: string;
  found: string;
  cure: string;
}

export interface FoundConfig {
  /** Without the project's name; nothing in it is secret. */
  config: Record<string, unknown>;
  obstacles: Obstacle[];
  /** What there is and stays somebody else's, and why. */
  leaves: string[];
}

export interface Surroundings {
  context: string;
  kubeconfig?: string | undefined;
  /** The project's stacks by the trust domains that their files have. */
  stacks: ReadonlyMap<string, string>;
}

/** Undefined config: there is nothing to take over. */
export function foundConfig(found: Survey, around: Surroundings): FoundConfig {
  const { federation, trustDomain } = found;
  if (trustDomain === undefined || federation === undefined)
    return { config: {}, obstacles: nothingThere(found), leaves: [] };
  const peers = foundPeers(found.trust, federation, around.stacks);
  const endpoint = foundEndpoint(found, federation);
  return {
    config: {
      ...definedOnly({ kubeconfig: around.kubeconfig }),
      context: around.context,
      trustDomain,
      peers: peers.entries,
      ...endpoint.config,
      ...(peers.listed ? {} : { federatesWith: "dynamic" }),
    },
    obstacles: [...endpoint.obstacles, ...peers.obstacles],
    leaves: [...endpoint.leaves, ...peers.leaves],
  };
}

function nothingThere({ trustDomain }: Survey): Obstacle[] {
  if (trustDomain === undefined) {
    const object = "ZeroTrustWorkloadIdentityManager cluster";
    return [{ object, found: "it is not there", cure: "choose the context of a cluster that has ZTWIM" }];
  }
  const cure = `there is no federation to adopt; write the stack's file and run npx ${PROGRAM} up`;
  return [{ object: "SpireServer cluster", found: "it has no federation", cure }];
}

type Part = Omit<FoundConfig, "config">;

function foundEndpoint(found: Survey, { bundleEndpoint }: FederationSpec): FoundConfig {
  const { profile, refreshHint, httpsWeb } = bundleEndpoint;
  const hint = refreshHint === REFRESH_HINT.default ? {} : { refreshHint };
  const route = foundRoute(found);
  if (profile === "https_spiffe") return { config: { profile, ...hint }, ...route };
  const { servingCert, acme } = httpsWeb ?? {};
  if (acme !== undefined) {
    const { directoryUrl: server, email, tosAccepted } = acme;
    const issuer = { type: "spire", server, email, tosAccepted: tosAccepted === "true" };
    return { config: { profile, ...hint, issuer }, ...route };
  }
  const fileSyncInterval = servingCert?.fileSyncInterval ?? FILE_SYNC_INTERVAL.default;
  const common = { profile, ...hint, ...(fileSyncInterval !== FILE_SYNC_INTERVAL.default && { fileSyncInterval }) };
  if (servingCert?.externalSecretRef === undefined)
    return { config: { ...common, issuer: { type: "router" } }, ...route };
  const certificate = foundCertificate(found, servingCert.externalSecretRef);
  return {
    config: { ...common, ...certificate.config },
    obstacles: [...route.obstacles, ...certificate.obstacles],
    leaves: [
      ...route.leaves,
      `Secret ${servingCert.externalSecretRef}: cert-manager's, and never read`,
      ...certificate.leaves,
    ],
  };
}

/** The operator makes its Route by itself where it is asked to, and that is all there has to be. */
function foundRoute({ trustDomain = "", ingressDomain = "", federation }: Survey): Part {
  const { managedRoute } = federationRoute({ trustDomain }, ingressDomain);
  const asked = managedRoute ? "true" : "false";
  if (federation?.managedRoute === asked)
    return { obstacles: [], leaves: ["Route spire-server-federation: the operator's"] };
  const found = `spec.federation.managedRoute is ${JSON.stringify(federation?.managedRoute)}, and a stack asks for "${asked}"`;
  const patch = `'{"spec":{"federation":{"managedRoute":"${asked}"}}}'`;
  const cure = `let the operator make its Route, which restarts nothing: oc patch spireservers.operator.openshift.io cluster --type merge -p ${patch}`;
  return { obstacles: [{ object: "SpireServer cluster", found, cure }], leaves: [] };
}

function foundCertificate({ certificate, issuer }: Survey, secret: string): FoundConfig {
  const object = `Certificate ${CERTIFICATE_SECRET}`;
  if (certificate === undefined || secret !== CERTIFICATE_SECRET) {
    const found = certificate === undefined ? "it is not there" : `the SpireServer's secret is ${secret}`;
    const cure = `a stack has the endpoint's certificate from Certificate and secret ${CERTIFICATE_SECRET} in namespace ${OPERAND_NAMESPACE}`;
    return { config: {}, obstacles: [{ object, found, cure }], leaves: [] };
  }
  const { duration, renewBefore, issuerRef = {} } = certificate.spec ?? {};
  const { kind = "Issuer", name = "" } = issuerRef;
  const own = ownIssuer(issuer, kind, name);
  return {
    config: {
      issuer: own ?? { type: "existing", kind, name },
      ...(duration !== undefined && duration !== CERTIFICATE_DEFAULTS.duration && { certificateDuration: duration }),
      ...(renewBefore !== undefined && renewBefore !== CERTIFICATE_DEFAULTS.renewBefore && { renewBefore }),
    },
    obstacles: [],
    leaves: own === undefined ? [`${kind} ${name}: the Certificate refers to it, and it stays as it is`] : [],
  };
}

/** The issuer as a stack would make it; undefined where a stack would make another one. */
function ownIssuer(issuer: LiveIssuer | undefined, kind: string, name: string): IssuerArgs | undefined {
  if (issuer?.spec === undefined || kind !== "Issuer") return undefined;
  return issuersOf(issuer.spec).find((args) =>
    planIssuer(args).objects.some((object) => object.name === name && isDeepStrictEqual(object.spec, issuer.spec)),
  );
}

/** What a stack's config could say of an issuer with that specification. */
function issuersOf({ acme, ca }: Record<string, unknown>): IssuerArgs[] {
  if (isObject(ca) && typeof ca["secretName"] === "string") {
    return [{ type: "ca" }, { type: "ca", secretName: ca["secretName"] }];
  }
  if (!isObject(acme) || typeof acme["server"] !== "string") return [];
  const email = typeof acme["email"] === "string" ? { email: acme["email"] } : {};
  return [
    { type: "acme", ...email },
    { type: "acme", server: acme["server"], ...email },
  ];
}

interface FoundPeers extends Part {
  entries: unknown[];
  /** The SpireServer lists all of them, as a stack does that is static. */
  listed: boolean;
}

function foundPeers(
  trust: readonly TrustObject[],
  { federatesWith = [] }: FederationSpec,
  stacks: ReadonlyMap<string, string>,
): FoundPeers {
  const leaves: string[] = [];
  const obstacles: Obstacle[] = [];
  const entries: unknown[] = [];
  const taken = new Map<string, string>();
  for (const { metadata, spec = {} } of [...trust].sort(olderFirst)) {
    const name = metadata?.name ?? "";
    const { trustDomain = "", bundleEndpointURL: bundleEndpointUrl, bundleEndpointProfile, className } = spec;
    const object = `ClusterFederatedTrustDomain ${name}`;
    const before = taken.get(trustDomain);
    if (className !== FEDERATION_CLASS) {
      leaves.push(`${object}: its class is ${className ?? "none"}, so ZTWIM's controller ignores it`);
    } else if (before !== undefined) {
      leaves.push(
        `${object}: ${before} is for ${trustDomain} as well and is older, so ZTWIM's controller goes by that`,
      );
    } else {
      taken.set(trustDomain, name);
      const stack = stacks.get(trustDomain);
      const peer = stack ?? name.replace(/-federation$/, "");
      if (objectName(peer) !== name) {
        obstacles.push({ object, found: "its name", cure: `a stack calls it ${objectName(peer)}` });
      }
      entries.push(stack ?? describe(peer, trustDomain, bundleEndpointUrl, bundleEndpointProfile));
    }
  }
  // SPIRE trusts these by its configuration alone; a stack has an object for each peer.
  for (const { trustDomain, bundleEndpointUrl, bundleEndpointProfile: type, endpointSpiffeId } of federatesWith) {
    if (taken.has(trustDomain)) continue;
    const profile = { type, ...definedOnly({ endpointSPIFFEID: endpointSpiffeId }) };
    const name = trustDomain.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
    entries.push(stacks.get(trustDomain) ?? describe(name, trustDomain, bundleEndpointUrl, profile));
  }
  const listed = [...taken.keys()].every((one) => federatesWith.some(({ trustDomain }) => trustDomain === one));
  return { entries, obstacles, leaves, listed };
}

function describe(
  name: string,
  trustDomain: string,
  bundleEndpointUrl: string | undefined,
  { type, endpointSPIFFEID }: NonNullable<TrustObject["spec"]>["bundleEndpointProfile"] & object = {},
): Record<string, unknown> {
  const spiffe = type === "https_spiffe" && endpointSPIFFEID !== serverSpiffeId(trustDomain);
  return {
    ...{ name, trustDomain, bundleEndpointUrl, profile: type },
    ...(spiffe && { endpointSpiffeId: endpointSPIFFEID }),
  };
}

/** The controller goes by the oldest object of a trust domain. */
const olderFirst = (one: TrustObject, other: TrustObject): number =>
  (one.metadata?.creationTimestamp ?? "") < (other.metadata?.creationTimestamp ?? "") ? -1 : 1;
