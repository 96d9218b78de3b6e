/** The peers of a cluster: ClusterFederatedTrustDomains, and the list of the SpireServer. */
import { checkHost, checkHttpsUrl } from "../components/shared/arguments";
import { FEDERATION_CLASS, OPERAND_NAMESPACE, SPIRE_SERVER } from "../components/shared/names";
import { type Problem, problem } from "../components/shared/problem";
import { byCluster, isKind, nameOf, namespaceOf } from "./kubernetes";
import { known, type Resource, type Rule, type Violation } from "./rule";

/** A trust domain that an object names. */
interface TrustedPeer {
  resource: Resource;
  /** The fields that hold the peer, its trust domain and its endpoint's URL. */
  path: Record<"entry" | "trustDomain" | "url", string>;
  trustDomain: string | undefined;
  url: string | undefined;
}

interface Spec {
  trustDomain?: string;
  bundleEndpointURL?: string;
  className?: string;
  federation?: {
    bundleEndpoint?: { httpsWeb?: { acme?: { domainName?: string } } };
    federatesWith?: { trustDomain?: string; bundleEndpointUrl?: string }[];
  } | null;
}

const specOf = ({ props }: Resource): Spec => (props as { spec?: Spec | null }).spec ?? {};

const isTrust = (resource: Resource): boolean => isKind(resource, "spire.spiffe.io", "ClusterFederatedTrustDomain");
const isServer = (resource: Resource): boolean => isKind(resource, "operator.openshift.io", "SpireServer");

/** All peers that an object names, without values that a preview does not know. */
function peersOf(resource: Resource): TrustedPeer[] {
  if (isTrust(resource)) {
    const path = { entry: "spec", trustDomain: "spec.trustDomain", url: "spec.bundleEndpointURL" };
    const trustDomain = known(() => specOf(resource).trustDomain);
    return [{ resource, path, trustDomain, url: known(() => specOf(resource).bundleEndpointURL) }];
  }
  if (!isServer(resource)) return [];
  const listed = known(() => specOf(resource).federation?.federatesWith) ?? [];
  return Array.from({ length: listed.length }, (_, at) => {
    const entry = `spec.federation.federatesWith[${at}]`;
    const path = { entry, trustDomain: `${entry}.trustDomain`, url: `${entry}.bundleEndpointUrl` };
    const trustDomain = known(() => listed[at]?.trustDomain);
    return { resource, path, trustDomain, url: known(() => listed[at]?.bundleEndpointUrl) };
  });
}

export const endpointIsHttps: Rule = {
  name: "endpoint-is-https",
  description: "A peer's bundle endpoint is an https URL with a host name.",
  checkResource: (resource) =>
    peersOf(resource).flatMap(({ path, url }) => (url === undefined ? [] : checkUrl(path.url, url))),
};

function checkUrl(path: string, url: string): Problem[] {
  const problems = checkHttpsUrl(path, url);
  if (problems.length > 0) return problems;
  const { hostname } = new URL(url);
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  return isAddress || checkHost(path, hostname).length > 0
    ? problem(path, `"${url}" has no host name; it is one like https://federation.apps.cluster1.example.com`)
    : [];
}

export const classOfTheOperator: Rule = {
  name: "class-of-the-operator",
  description: "A ClusterFederatedTrustDomain has the class that the operator's controller manager serves.",
  checkResource: (resource) => {
    if (!isTrust(resource)) return [];
    const { className } = specOf(resource);
    if (className === FEDERATION_CLASS) return [];
    const is = className === undefined || className === "" ? "is not set" : `is "${className}"`;
    return problem("spec.className", `${is}, so that SPIRE ignores the object; it is ${FEDERATION_CLASS}`);
  },
};

export const noSelfFederation: Rule = {
  name: "no-self-federation",
  description: "No cluster federates with its own trust domain or its own bundle endpoint.",
  checkStack: (resources) =>
    byCluster(resources).flatMap((cluster) => {
      const own = ownTrustDomains(cluster);
      const hosts = ownHosts(cluster);
      return cluster.flatMap(peersOf).flatMap(({ resource, path, trustDomain, url = "" }): Violation[] => {
        const found =
          trustDomain !== undefined && own.has(trustDomain)
            ? problem(path.trustDomain, `"${trustDomain}" is this cluster's own trust domain; name a peer's`)
            : URL.canParse(url) && hosts.has(new URL(url).hostname)
              ? problem(path.url, `"${url}" is this cluster's own bundle endpoint; name a peer's`)
              : [];
        return found.map((one) => ({ ...one, resource }));
      });
    }),
};

/** From the operator's main object, and from the provider's clusterIdentifier, which this project's programs set. */
function ownTrustDomains(cluster: readonly Resource[]): ReadonlySet<string> {
  const ztwim = (one: Resource): boolean => isKind(one, "operator.openshift.io", "ZeroTrustWorkloadIdentityManager");
  const said = cluster.flatMap((one): unknown[] => [
    known(() => one.provider?.props["clusterIdentifier"] as unknown),
    ztwim(one) ? known(() => specOf(one).trustDomain) : undefined,
  ]);
  return new Set(said.filter((one) => typeof one === "string" && one !== "") as string[]);
}

interface RouteOrCertificate {
  spec?: { host?: string; to?: { name?: string }; dnsNames?: string[] };
}

/** Hosts of the own endpoint: of its certificate, its Route, and SPIRE's own ACME. */
function ownHosts(cluster: readonly Resource[]): ReadonlySet<string> {
  const hosts = cluster.flatMap((one): (string | undefined)[] => {
    return (
      known(() => {
        const { spec } = one.props as RouteOrCertificate;
        if (isServer(one)) return [specOf(one).federation?.bundleEndpoint?.httpsWeb?.acme?.domainName];
        if (namespaceOf(one) !== OPERAND_NAMESPACE) return [];
        if (isKind(one, "cert-manager.io", "Certificate")) return [...(spec?.dnsNames ?? [])];
        return isKind(one, "route.openshift.io", "Route") && spec?.to?.name === SPIRE_SERVER ? [spec.host] : [];
      }) ?? []
    );
  });
  return new Set(hosts.filter((host) => host !== undefined));
}

export const onePeerPerTrustDomain: Rule = {
  name: "one-peer-per-trust-domain",
  description: "No two peers of a cluster have the same trust domain.",
  checkStack: (resources) =>
    byCluster(resources).flatMap((cluster) => {
      const peers = cluster.flatMap(peersOf);
      return [
        ...repeated(peers.filter(({ resource }) => isTrust(resource))),
        ...repeated(peers.filter(({ resource }) => isServer(resource))),
      ];
    }),
};

function repeated(peers: readonly TrustedPeer[]): Violation[] {
  const first = new Map<string, TrustedPeer>();
  return peers.flatMap((peer): Violation[] => {
    const { resource, path, trustDomain } = peer;
    if (trustDomain === undefined) return [];
    const before = first.get(trustDomain);
    first.set(trustDomain, before ?? peer);
    if (before === undefined) return [];
    const where = before.resource === resource ? before.path.entry : nameOf(before.resource);
    return problem(
      path.trustDomain,
      `"${trustDomain}" is the trust domain of ${where} already, and only one bundle would be kept; each peer has its own`,
    ).map((one) => ({ ...one, resource }));
  });
}
