/** One cluster's membership in the federation: the five components, in the order of the procedure. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { accessOf } from "../components/cluster/access";
import { splitPem } from "../components/shared/arguments";
import { CertManagerInstall } from "../components/certManagerInstall";
import { type ClusterReader, Forbidden } from "../components/cluster/cluster";
import { FederatedTrustDomain, objectName } from "../components/federatedTrustDomain";
import { FederationCertificate } from "../components/federationCertificate";
import type { IssuerArgs } from "../components/certificates/issuer";
import { keptPeer } from "../components/bundle/keptPeer";
import { OPERAND_NAMESPACE, PROGRAM } from "../components/shared/names";
import { openCluster } from "../components/cluster/openCluster";
import { PeerCas } from "../components/peerCas";
import { problem } from "../components/shared/problem";
import { RouterSecretAccess } from "../components/routerSecretAccess";
import { describeSharedRoot, SHARED_ROOT_ADVICE, sharedRoots } from "../components/bundle/sharedRoots";
import { readOwnRoots } from "../components/bundle/spiffeEndpoint";
import { stopProgram } from "../components/shared/stopProgram";
import { SpireFederationServer } from "../components/spireFederationServer";
import { type CaPlan, hasPrivateCa, planTrust, readTrustedCas } from "../components/trustedCas/trustedCas";
import type { ClusterConfig } from "./config";
import { bundleEndpoint, certManagerIssuer } from "./endpoint";
import { type Contract, CONTRACT_VERSION, type PeerResolution, readPeers, resolvePeers } from "./contract";
import { definedOnly } from "./fields";
import { readBundleFile } from "./bundleFile";
import { judgeForeign } from "./foreign";
import { declaredIn } from "./peerIdentity";
import { resourceNameOf } from "./peers";
import { type PassedPreflight, preflight } from "./preflight";
import { bootstrapOf, judgeFirstBundles, publishesRoots, withFirstRoots } from "./firstBundle";
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
  peers: Record<string, { trustDomain: pulumi.Output<string>; fingerprints: pulumi.Output<string[]> }>;
  /** Peers whose stacks have published nothing yet. */
  pendingPeers: string[];
  /** Peers whose stacks publish what cannot be used, and why. Those that the cluster trusts stay trusted as they are. */
  faultyPeers?: Record<string, string>;
  /** Only where one more up is needed, whatever the peers do; `spire-federation up` runs it. */
  runAgain?: true;
}

/** Refuses before anything is changed, or builds the membership that the config asks for. */
export async function federate(config: ClusterConfig): Promise<ClusterOutputs> {
  const [cleared, readings] = await Promise.all([preflight(config, openCluster), readPeers(config.peers)]);
  const trust = Array.isArray(cleared) ? [] : cleared.trust;
  const peers = resolvePeers(config.trustDomain, readings, {
    trusted: (name, own) => keptPeer(name, trust, own),
    declared: declaredIn(config.self, (path) => readBundleFile("", path)),
  });
  peers.joined = await withFirstRoots(config, peers.joined, trust, openCluster);
  peers.problems.push(...judgeFirstBundles(config, peers.joined, trust, new Date()));
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
  const cas = await planPeerCas(config, cleared.reader, peers);
  const foreign = judgeForeign(
    cleared,
    peers.joined.map(({ peer }) => peer),
  );
  ConfigError.throwIfAny(config.self.project, [...cas.problems, ...foreign.problems]);
  for (const note of cleared.notes) await pulumi.log.info(note);
  for (const warning of [...cleared.warnings, ...cas.warnings, ...foreign.warnings]) await pulumi.log.warn(warning);
  const outputs = compose(cleared, peers, cas.trust);
  await sayFaulty(peers, outputs.federation);
  return outputs;
}

/**
 * Peers whose stacks publish what cannot be used are named, and the up fails, but at its end: all else is done by then. What
 * Pulumi is to delete waits for an up that succeeds.
 */
async function sayFaulty({ faulty, joined }: PeerResolution, done: pulumi.Output<unknown>): Promise<void> {
  if (faulty.length === 0) return;
  const lines = faulty.map(({ name, fault }) => {
    const isKept = joined.some(({ peer }) => peer.stack === name);
    return `  ${name}, ${isKept ? "trusted as before" : "not trusted yet, and left out"}: ${fault}`;
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

/** Only where a peer's endpoint has a CA of its own is anything read for it. */
async function planPeerCas(config: ClusterConfig, reader: ClusterReader, { joined }: PeerResolution): Promise<CaPlan> {
  const peers = joined.map(({ peer }) => peer);
  if (!peers.some(hasPrivateCa)) return { problems: [], warnings: [] };
  try {
    return planTrust(config.trustPeerCas, peers, await readTrustedCas(reader));
  } catch (error) {
    const { message } = error as Error;
    // It is no reason to stop that nobody can say whether to warn.
    if (error instanceof Forbidden && !config.trustPeerCas) return { problems: [], warnings: [message] };
    return { problems: problem("trustPeerCas", message), warnings: [] };
  }
}

function compose(cleared: PassedPreflight, peers: PeerResolution, cas: CaPlan["trust"]): ClusterOutputs {
  const { config, route } = cleared;
  const provider = new k8s.Provider("cluster", {
    ...definedOnly({ context: config.context }),
    // It says which cluster this is, so that another kubeconfig, context or server address replaces nothing.
    clusterIdentifier: config.trustDomain,
    // The path as the config has it, `~` and all: never the file's content, which has credentials. Empty stands for the
    // machine's own kubeconfig; left out, the SDK would put $KUBECONFIG into the state, and the same stack would show a
    // change on every machine where that is another path.
    kubeconfig: config.kubeconfig ?? "",
  });
  const opts = { provider };
  const access = accessOf(config);
  const issuer = certManagerIssuer(config);
  const web = issuer && endpointCertificate(issuer, cleared, opts);
  // Peers come after the certificate only so that destroy, which goes backwards, takes trust away first.
  const ready = web === undefined ? [] : [web.certificate.ready, web.routerAccess];

  // SPIRE asks a new peer at once, and then not again for a minute: it has to trust the peer's CA by then.
  const trust = cas === undefined ? [] : [new PeerCas("peer-cas", { ...access, peers: cas }, opts).ready];
  const dependsOn = [...ready, ...trust];

  const trusted = peers.joined.map((joined) => {
    const { peer, rebootstrap } = joined;
    const args = { ...access, peer, rebootstrap, bootstrap: bootstrapOf(config, joined) };
    const name = resourceNameOf(objectName(peer.stack, peer.objectName));
    return { stack: peer.stack, domain: new FederatedTrustDomain(name, args, { ...opts, dependsOn }) };
  });

  warnOfSharedRoots(
    { trustDomain: config.trustDomain, roots: readOwnRoots(cleared.reader) },
    trusted.map(({ domain }) => domain),
  );

  const server = new SpireFederationServer(
    "spire-server",
    {
      ...access,
      trustDomain: config.trustDomain,
      host: route.host,
      managedRoute: route.managedRoute,
      ownRoute: route.own,
      ...bundleEndpoint(config),
      probe: config.probe,
      publishRoots: publishesRoots(config),
      federatesWith: peers.joined.map(({ peer }) => peer),
      federatesWithMode: config.federatesWith,
      takeOver: config.takesOverFederation,
      ...definedOnly({
        manage: config.spireServer?.spec,
        manageSecret: config.spireServer?.secret,
        endpointCaCertificates: config.endpointCa ?? web?.certificate.caCertificates,
      }),
    },
    // A peer is listed once SPIRE has its bundle: it asks a listed peer at once, and then not again for a minute.
    { ...opts, dependsOn: [...dependsOn, ...trusted.map(({ domain }) => domain)] },
  );

  return {
    federation: contract(config, server),
    bundleEndpointUrl: server.bundleEndpointUrl,
    ...(web && { certificateSecret: pulumi.interpolate`${OPERAND_NAMESPACE}/${web.certificate.secretName}` }),
    peers: Object.fromEntries(
      trusted.map(({ stack, domain }) => [
        stack,
        { trustDomain: domain.trustDomain, fingerprints: domain.fingerprints },
      ]),
    ),
    pendingPeers: peers.pending,
    ...(peers.faulty.length > 0 && {
      faultyPeers: Object.fromEntries(peers.faulty.map(({ name, fault }) => [name, fault])),
    }),
    ...(route.own?.former && { runAgain: true }),
  };
}

/**
 * Says once which trust domains have the same root. In a preview only where all peers' bundles are known already; mesh
 * preview asks the endpoints. Own roots that cannot be read are left out, and mesh verify says so.
 */
function warnOfSharedRoots(
  own: { trustDomain: string; roots: Promise<string | undefined> },
  peers: readonly FederatedTrustDomain[],
): void {
  const ownRoots = own.roots.catch(() => undefined).then((pem) => splitPem(pem ?? ""));
  const bundles = peers.map((peer) =>
    pulumi.all([peer.trustDomain, peer.roots]).apply(([trustDomain, roots]) => ({ trustDomain, roots })),
  );
  pulumi.all(bundles).apply(async (known) => {
    const shared = sharedRoots([{ ...own, roots: await ownRoots }, ...known], new Date());
    if (shared.length === 0) return;
    await pulumi.log.warn(`${shared.map(describeSharedRoot).join("; ")}. ${SHARED_ROOT_ADVICE}.`);
  });
}

/** The certificate of the endpoint, and the router's access to it: both are there before a Route refers to the secret. */
function endpointCertificate(
  issuer: IssuerArgs,
  { config, certManager, route: { host } }: PassedPreflight,
  opts: pulumi.ComponentResourceOptions,
): { certificate: FederationCertificate; routerAccess: RouterSecretAccess } {
  const access = accessOf(config);
  const { names } = config;
  const operator = new CertManagerInstall(
    "cert-manager",
    { ...access, install: certManager?.state !== "foreign" && certManager?.state !== "plain", ...config.certManager },
    opts,
  );
  const certificate = new FederationCertificate(
    "certificate",
    {
      ...{ ...access, host, issuer, ...config.certificateTimes },
      ...{ certificateName: names.certificate, secretName: names.secret },
    },
    { ...opts, dependsOn: operator.ready },
  );
  const routerAccess = new RouterSecretAccess(
    "router-access",
    { ...access, secretName: names.secret, roleName: names.role, roleBindingName: names.roleBinding },
    { ...opts, dependsOn: certificate.ready },
  );
  return { certificate, routerAccess };
}

/** Whether an endpoint without a CA of its own is known to need none: it was verified, or an ACME server issues for it. */
const hasPublicCa = ({ profile, probe, issuer }: ClusterConfig): boolean =>
  profile === "https_web" && (probe === "machine" || issuer.type === "acme" || issuer.type === "spire");

function contract(config: ClusterConfig, server: SpireFederationServer): pulumi.Output<Contract> {
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
