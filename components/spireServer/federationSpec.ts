import { parseDuration } from "../shared/arguments";
import type { BundleEndpointSpec, FederationSpec } from "../route/federation";
import { federatesWith, type FederatesWith, type Peer, type Profile } from "../bundle/peer";

/** A bundle endpoint, whether the operator makes its Route, and the peers. */
export function federationSpec(
  bundleEndpoint: BundleEndpointSpec,
  peers: readonly Peer[],
  managedRoute = true,
): FederationSpec {
  return {
    bundleEndpoint,
    managedRoute: managedRoute ? "true" : "false",
    // The CRD refuses an empty list.
    ...(peers.length === 0 ? {} : { federatesWith: federatesWith(peers) }),
  };
}

/**
 * What a federation says, as plain values by name, whatever form it was written in: this is how the specification that
 * the stack asked for, the one in the cluster and the SPIRE server's own configuration are compared.
 */
export type Facts = Map<string, string>;

/** What SPIRE's configuration takes from the specification: all but what the Route gets. */
export function factsForServer(spec: FederationSpec): Facts {
  const { profile, refreshHint, httpsWeb } = spec.bundleEndpoint;
  const facts: Facts = new Map([
    ["profile", profile],
    ["refreshHint", `${refreshHint}s`],
  ]);
  if (httpsWeb?.servingCert !== undefined) {
    facts.set("fileSyncInterval", `${httpsWeb.servingCert.fileSyncInterval}s`);
  }
  if (httpsWeb?.acme !== undefined) {
    for (const [name, value] of Object.entries<string>({ ...httpsWeb.acme })) {
      facts.set(`acme.${name}`, value);
    }
  }
  for (const peer of spec.federatesWith ?? []) {
    facts.set(peerFact(peer.trustDomain), entryText(peer));
  }
  return facts;
}

/** What an entry of federatesWith says beside the trust domain. */
export function entryText({ bundleEndpointProfile, bundleEndpointUrl, endpointSpiffeId }: FederatesWith): string {
  return peerValue(bundleEndpointProfile, bundleEndpointUrl, endpointSpiffeId);
}

/** All of the specification. */
export function factsOfSpec(spec: FederationSpec): Facts {
  const facts = factsForServer(spec);
  facts.set("managedRoute", spec.managedRoute);
  const secret = spec.bundleEndpoint.httpsWeb?.servingCert?.externalSecretRef;
  if (secret !== undefined) {
    facts.set("externalSecretRef", secret);
  }
  return facts;
}

interface ServerConf {
  server?: {
    federation?: {
      bundle_endpoint?: {
        refresh_hint?: string;
        profile?: {
          https_spiffe?: object;
          https_web?: { serving_cert_file?: { file_sync_interval?: string }; acme?: AcmeConf };
        };
      };
      federates_with?: Record<
        string,
        {
          bundle_endpoint_url?: string;
          bundle_endpoint_profile?: { https_web?: object; https_spiffe?: { endpoint_spiffe_id?: string } };
        }
      >;
    };
  };
}

interface AcmeConf {
  directory_url?: string;
  domain_name?: string;
  email?: string;
  tos_accepted?: boolean;
}

/** The federation part of `server.conf`; undefined when it has none or is not JSON. */
export function factsOfServerConf(text: string): Facts | undefined {
  let conf: ServerConf | null;
  try {
    conf = JSON.parse(text) as ServerConf | null;
  } catch {
    return undefined;
  }
  const federation = conf?.server?.federation;
  if (federation?.bundle_endpoint === undefined) {
    return undefined;
  }
  const { profile, refresh_hint } = federation.bundle_endpoint;
  const facts: Facts = new Map([
    ["profile", profile?.https_web === undefined ? "https_spiffe" : "https_web"],
    ["refreshHint", seconds(refresh_hint)],
  ]);
  const web = profile?.https_web;
  if (web?.serving_cert_file !== undefined) {
    facts.set("fileSyncInterval", seconds(web.serving_cert_file.file_sync_interval));
  }
  if (web?.acme !== undefined) {
    facts.set("acme.directoryUrl", web.acme.directory_url ?? "");
    facts.set("acme.domainName", web.acme.domain_name ?? "");
    facts.set("acme.email", web.acme.email ?? "");
    facts.set("acme.tosAccepted", String(web.acme.tos_accepted ?? false));
  }
  for (const [trustDomain, peer] of Object.entries(federation.federates_with ?? {})) {
    const spiffe = peer.bundle_endpoint_profile?.https_spiffe;
    facts.set(
      peerFact(trustDomain),
      peerValue(
        spiffe === undefined ? "https_web" : "https_spiffe",
        peer.bundle_endpoint_url ?? "",
        spiffe?.endpoint_spiffe_id,
      ),
    );
  }
  return facts;
}

/** Every fact that differs, in words; empty when the two say the same. */
export function differences(asked: Facts, actual: Facts): string[] {
  const names = new Set([...asked.keys(), ...actual.keys()]);
  return [...names]
    .filter((name) => asked.get(name) !== actual.get(name))
    .map((name) => `${name} is ${actual.get(name) ?? "not set"}, asked for is ${asked.get(name) ?? "none"}`);
}

/**
 * Describes how the actual federation differs from the requested one. Peers are compared only if the stack lists any;
 * otherwise the list is somebody else's.
 */
export function deviations(asked: FederationSpec, actual: FederationSpec): string[] {
  const facts = factsOfSpec(actual);
  return differences(factsOfSpec(asked), asked.federatesWith === undefined ? withoutPeers(facts) : facts);
}

export function withoutPeers(facts: Facts): Facts {
  return new Map([...facts].filter(([name]) => !name.startsWith(PEER_PREFIX)));
}

const PEER_PREFIX = "federatesWith ";

function peerFact(trustDomain: string): string {
  return `${PEER_PREFIX}${trustDomain}`;
}

function peerValue(profile: Profile, url: string, spiffeId: string | undefined): string {
  return [profile, url, ...(spiffeId ? [spiffeId] : [])].join(" ");
}

/** A duration in seconds, so that `300s` and `5m0s` are the same. */
function seconds(duration: string | undefined): string {
  const parsed = duration === undefined ? undefined : parseDuration(duration);
  return parsed === undefined ? String(duration) : `${parsed}s`;
}
