/** One stack: refused, or the federation of its cluster as its config and its peers' stacks have it. */
import * as pulumi from "@pulumi/pulumi";
import { accessOf } from "../components/cluster/access";
import { keptPeer } from "../components/bundle/keptPeer";
import { OPERAND_NAMESPACE, PROGRAM } from "../components/shared/names";
import { openCluster } from "../components/cluster/openCluster";
import { printable } from "../components/shared/printable";
import { refuseInUp } from "../components/shared/refuseInUp";
import { stopProgram } from "../components/shared/stopProgram";
import { SpireFederation, type TrustedPeer } from "../components/spireFederation";
import { caFingerprintsOf, type CaPlan } from "../components/trustedCas/trustedCas";
import { withApproved } from "./approved";
import type { ClusterConfig } from "./config";
import { bundleEndpoint, certManagerIssuer } from "./endpoint";
import { type Contract, CONTRACT_VERSION, type PeerResolution, readPeers, resolvePeers } from "./contract";
import { readBundleFile } from "./bundleFile";
import { definedOnly } from "./fields";
import { judgeForeign } from "./foreign";
import { keepsAccess } from "./madeObjects";
import { declaredIn } from "./peerIdentity";
import { type PassedPreflight, preflight } from "./preflight";
import { describeUnboundIn, planPeerCas, trustedCas } from "./peerCas";
import { judgeFirstBundles, publishesRoots, withFirstRoots } from "./firstBundle";
import { ConfigError } from "./refusal";
import { judgeServedBundles } from "./servedBundle";

/** What a stack exports. Nothing in it is secret, and nothing is a live object. */
export interface ClusterOutputs {
  /** What the peers read; published once the endpoint has answered. */
  federation: pulumi.Output<Contract>;
  /** URL of this cluster's bundle endpoint. */
  bundleEndpointUrl: pulumi.Output<string>;
  /** Name of the endpoint's TLS secret, namespace/name; only with https_web. No secret is read into the state. */
  certificateSecret?: pulumi.Output<string>;
  /** Whom this cluster trusts, and the X.509 roots (SHA-256) with which that trust began. */
  peers: Record<string, TrustedPeer>;
  /** Peers whose stacks have published nothing yet. */
  pendingPeers: string[];
  /** Peers whose stacks publish what cannot be used, and why. Those that the cluster trusts stay trusted as they are. */
  faultyPeers?: Record<string, string>;
}

/** Refuses before anything is changed, or builds the membership that the config asks for. */
export async function federate(config: ClusterConfig): Promise<ClusterOutputs> {
  const [cleared, readings] = await Promise.all([preflight(config, openCluster), readPeers(config.peers)]);
  const trust = Array.isArray(cleared) ? [] : cleared.trust;
  const trusted = Array.isArray(cleared) ? undefined : await trustedCas(cleared);
  const peers = resolvePeers(config.trustDomain, readings, {
    trusted: (name, own) => keptPeer(name, trust, own),
    declared: declaredIn(config.self, (path) => readBundleFile(pulumi.getRootDirectory(), path)),
    unbound: (peer) => describeUnboundIn(trusted, peer),
  });
  const approval = withApproved(await withFirstRoots(config, peers.joined, trust, openCluster));
  peers.joined = approval.joined;
  peers.problems.push(...approval.problems);
  peers.problems.push(...judgeFirstBundles(peers.joined, trust, new Date()));
  if (peers.problems.length === 0) peers.problems.push(...(await judgeServedBundles(config, peers.joined, trust)));
  if (Array.isArray(cleared) || peers.problems.length > 0) {
    throw new ConfigError(config.self.project, [...(Array.isArray(cleared) ? cleared : []), ...peers.problems]);
  }
  if (peers.pending.length > 0) {
    await pulumi.log.warn(
      `pending peers: ${peers.pending.join(", ")}. Their stacks have published no bundle endpoint yet, so this cluster ` +
        "does not trust them; run pulumi up there, then here again.",
    );
  }
  if (peers.kept.length > 0) {
    await pulumi.log.warn(
      `kept peers: ${peers.kept.join(", ")}. Their stacks publish no bundle endpoint any more (destroyed, recreated, or ` +
        "the state is lost). This cluster goes on trusting them as before. To end that, take them out of peers and run " +
        `pulumi up, or run npx ${PROGRAM} remove, which also deletes their bundles from SPIRE.`,
    );
  }
  const cas = await planPeerCas(cleared, peers, trusted);
  const foreign = judgeForeign(
    cleared,
    peers.joined.map(({ peer }) => peer),
  );
  ConfigError.throwIfAny(config.self.project, cas.problems);
  if (foreign.problems.length > 0) {
    await refuseInUp(new ConfigError(config.self.project, foreign.problems));
  }
  for (const note of cleared.notes) await pulumi.log.info(note);
  for (const warning of [...cleared.warnings, ...cas.warnings, ...foreign.warnings]) await pulumi.log.warn(warning);
  const outputs = compose(cleared, peers, cas.trust);
  await sayFaulty(peers, outputs.federation);
  return outputs;
}

/**
 * Names the peers whose stacks publish something unusable. The up fails, but only at its end, when everything else is done.
 * Pulumi deletes nothing in an up that fails.
 */
async function sayFaulty({ faulty, joined }: PeerResolution, done: pulumi.Output<unknown>): Promise<void> {
  if (faulty.length === 0) return;
  const lines = faulty.map(({ name, fault }) => {
    const isKept = joined.some(({ peer }) => peer.stack === name);
    return `  ${name}, ${isKept ? "trusted as before" : "not trusted yet, and left out"}: ${printable(fault)}`;
  });
  const said = ["peers that cannot be used as their stacks publish them:", ...lines].join("\n");
  if (pulumi.runtime.isDryRun()) {
    await pulumi.log.warn(`${said}\nAn up does all else, and then fails.`);
    return;
  }
  done.apply(() => {
    void stopProgram(`${said}\nAll else is done, but what was to be deleted: that waits for an up that succeeds.`);
  });
}

function compose(
  { config, route, certManager, made }: PassedPreflight,
  peers: PeerResolution,
  cas: CaPlan["trust"],
): ClusterOutputs {
  const { names } = config;
  const issuer = certManagerIssuer(config);
  const federation = new SpireFederation("federation", {
    // The program has only this one, and people know its parts by these names.
    prefix: "",
    ...accessOf(config),
    trustDomain: config.trustDomain,
    host: route.host,
    managedRoute: route.managedRoute,
    ownRoute: route.own,
    ...bundleEndpoint(config),
    ...(issuer && {
      ...{ issuer, ...config.certificateTimes, certificateName: names.certificate, secretName: names.secret },
      certManager: {
        install: certManager?.state !== "foreign" && certManager?.state !== "plain",
        ...config.certManager,
      },
    }),
    ...{ routerAccess: keepsAccess(config, made), roleName: names.role, roleBindingName: names.roleBinding },
    trustPeerCas: cas !== undefined,
    peers: peers.joined.map((joined) => ({
      ...joined.peer,
      // Judged above, where it is known what SPIRE trusts already.
      ...(cas?.includes(joined.peer) && { caFingerprints: caFingerprintsOf(joined.peer) }),
      ...definedOnly({ rebootstrap: joined.rebootstrap, bootstrap: joined.bootstrap }),
    })),
    probe: config.probe,
    publishRoots: publishesRoots(config),
    federatesWithMode: config.federatesWith,
    takeOver: config.takesOverFederation,
    ...definedOnly({
      manage: config.spireServer?.spec,
      manageSecret: config.spireServer?.secret,
      endpointCaCertificates: config.endpointCa,
    }),
  });
  return {
    federation: contract(config, federation),
    bundleEndpointUrl: federation.bundleEndpointUrl,
    ...(issuer && { certificateSecret: pulumi.interpolate`${OPERAND_NAMESPACE}/${federation.secretName}` }),
    peers: federation.peers,
    pendingPeers: peers.pending,
    ...(peers.faulty.length > 0 && {
      faultyPeers: Object.fromEntries(peers.faulty.map(({ name, fault }) => [name, fault])),
    }),
  };
}

/** Whether an endpoint without a CA of its own is known to need none: it was verified, or an ACME server issues for it. */
const hasPublicCa = ({ profile, probe, issuer }: ClusterConfig): boolean =>
  profile === "https_web" && (probe === "machine" || issuer.type === "acme" || issuer.type === "spire");

function contract(config: ClusterConfig, server: SpireFederation): pulumi.Output<Contract> {
  const { trustDomain, profile } = config;
  const context = profile === "https_spiffe" || publishesRoots(config) ? config.context : undefined;
  return pulumi
    .all([server.bundleEndpointUrl, server.endpointSpiffeId, server.caCertificates, server.roots])
    .apply(([bundleEndpointUrl, endpointSpiffeId, caCertificates, roots]): Contract => ({
      version: CONTRACT_VERSION,
      trustDomain,
      bundleEndpointUrl,
      profile,
      ...definedOnly({ endpointSpiffeId, caCertificates, roots, context }),
      ...(caCertificates === undefined && hasPublicCa(config) && { publicCa: true }),
    }));
}
