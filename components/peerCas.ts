import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccessArgs } from "./cluster/access";
import { checkPeer } from "./bundle/checkPeer";
import { splitPem } from "./shared/arguments";
import { type ClusterReader, unlessForbidden } from "./cluster/cluster";
import { ownedAnnotations, ownedMetadata, type WantedObject } from "./cluster/correction";
import { FIELD_MANAGER, OPERAND_NAMESPACE, OWNED, TRUSTED_CA_ENV, ZTWIM } from "./shared/names";
import { type EnvVar, SUBSCRIPTION_API, type SubscriptionReference } from "./operators/olm";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import type { Peer, PeerArgs } from "./bundle/peer";
import { lookAtMountedCas } from "./trustedCas/peerCasReadiness";
import { ready, waiting, type Waiting, waitUntil, whenReady, type WaitOptions } from "./waiting/readiness";
import { gate, readyOnce } from "./shared/gate";
import { onceKnown } from "./shared/checked";
import { valueIfKnown } from "./shared/known";
import { problem, type Problem, refuse } from "./shared/problem";
import { removalCommand } from "./cluster/removalCommand";
import { readTrustDomain } from "./cluster/trustDomain";
import { onceApplied } from "./shared/savedPlan";
import { orStop, stopProgram } from "./shared/stopProgram";
import {
  CA_KEY,
  describeUnbound,
  foreignCas,
  hasPrivateCa,
  isCaKnown,
  mayHavePrivateCa,
  peerCas,
  planTrust,
  readCas,
  readTrustedCas,
  unboundCas,
} from "./trustedCas/trustedCas";

export interface PeerCasArgs extends ClusterAccessArgs {
  /**
   * Peers with profile `https_web` and `caCertificates`: each CA has name constraints that permit the endpoint's host alone, or
   * is pinned in `caFingerprints`. One that turns out to have none when they are known is left out.
   */
  peers: PeerArgs[];
  /** How to wait. `timeoutSeconds` defaults to 300. */
  wait?: WaitOptions;
}

/** OpenShift fills it with the system's CAs and the cluster's; whoever else writes into it is overwritten. */
export const ROOTS_CONFIG_MAP = "spire-federation-trusted-cas";

/**
 * Adds the CAs of the peers' bundle endpoints to the CAs that SPIRE trusts.
 *
 * ZTWIM's operator mounts the ConfigMap that the variable `TRUSTED_CA_BUNDLE_CONFIGMAP` of its Subscription names in place of
 * the system's CAs. So the ConfigMap also holds the system's CAs, copied from a second ConfigMap that OpenShift fills. Waits
 * until the pods of SPIRE mount it. The SPIRE server restarts when a peer's CA or the cluster's own CAs change.
 *
 * A destroy first removes the variable, then waits for the pods of SPIRE and deletes the ConfigMaps: a pod whose ConfigMap
 * is missing does not start.
 *
 * Source: the operator of ZTWIM mounts `ca-bundle.crt` of that ConfigMap at /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem.
 *
 * SPIRE trusts a CA of that store for every host that its name constraints permit.
 *
 * @throws ResourceError for a CA that could vouch for other hosts and is not pinned, when OLM has not installed ZTWIM, when the
 * variable names a ConfigMap of somebody else, and when the pods of SPIRE do not mount the ConfigMap in time
 * @example
 * const cas = new PeerCas("peer-cas", { context: "cluster1", peers: [cluster2] }, { provider });
 */
export class PeerCas extends pulumi.ComponentResource {
  constructor(name: string, args: PeerCasArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:PeerCas", name, {}, withProvider(`${name}-cluster`, args, opts));
    refuse(name, checkWebPeers(args.peers), this);
    const { peers } = onceKnown(name, { peers: args.peers }, checkCas, this);
    const cluster = clusterFor(name, args, this);
    const wait = { timeoutSeconds: 300, pollMs: 1000, ...args.wait };
    const wantedRoots = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: ROOTS_CONFIG_MAP, namespace: OPERAND_NAMESPACE },
    };
    const found = this.subscription(name, cluster, peers);
    const mayChange = found.then(() => []);
    const roots = new k8s.core.v1.ConfigMap(
      `${name}-roots`,
      {
        metadata: {
          // They come from a read of the cluster, so that nothing is created in another one.
          ...ownedMetadata(cluster, wantedRoots, this),
          labels: { "config.openshift.io/inject-trusted-cabundle": "true" },
        },
      },
      // Nothing is created where the Subscription is not to be changed.
      { parent: this, dependsOn: mayChange },
    );
    // Two steps: the second is left out while the first is unknown.
    const filled = pulumi.all([wait, onceApplied(roots)]).apply(([how]) => this.filled(cluster, how));
    const content = pulumi.all([filled, peers]).apply(([pem, known]) => peerCas(pem, known.filter(hasPrivateCa)));
    const bundle = new k8s.core.v1.ConfigMap(
      `${name}-bundle`,
      {
        metadata: { namespace: OPERAND_NAMESPACE, annotations: OWNED, name: content.apply((it) => it.name) },
        immutable: true,
        data: { [CA_KEY]: content.apply(({ pem }) => pem) },
      },
      { parent: this },
    );
    const subscription = pulumi.output(found);
    const more = { "pulumi.com/patchFieldManager": FIELD_MANAGER };
    const patch = new k8s.apiextensions.CustomResourcePatch(
      `${name}-subscription`,
      {
        apiVersion: SUBSCRIPTION_API,
        kind: "Subscription",
        metadata: {
          namespace: subscription.namespace,
          name: subscription.name,
          annotations: subscription.apply((it) => ownedAnnotations(cluster, wantedSubscription(it), this, more)),
        },
        // The API server takes the list as one value.
        spec: {
          config: {
            env: subscription.env.apply((env) => [...env, { name: TRUSTED_CA_ENV, value: bundle.metadata.name }]),
          },
        },
      },
      { parent: this },
    );
    const own = pulumi.output(orStop(unlessForbidden(undefined, readTrustDomain(cluster)), this));
    const trustDomain = own.apply((it) => it ?? "");
    removalCommand(`${name}-removal`, "remove-peer-cas", args, this, patch, trustDomain);
    const ready = whenReady(
      this,
      pulumi.all([bundle.metadata.name, onceApplied(patch)]),
      "SPIRE with the CAs of peers",
      ([mounted]) => lookAtMountedCas(cluster, mounted),
      wait,
    );
    readyOnce(this, ready);
    this.registerOutputs({});
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }

  /** The CAs that OpenShift has written; in a preview those that are there, if any. */
  private async filled(cluster: ClusterReader, wait: Waiting): Promise<string> {
    const read = (): Promise<string> => readCas(cluster, ROOTS_CONFIG_MAP);
    if (pulumi.runtime.isDryRun()) return (await orStop(read(), this)) || (pulumi.unknown as string);
    let pem = "";
    const look = async (): ReturnType<typeof lookAtMountedCas> => {
      pem = await read();
      if (splitPem(pem).length > 0) return ready;
      return waiting("OpenShift's network operator has not written the cluster's CAs into it");
    };
    const reason = await waitUntil(`ConfigMap ${ROOTS_CONFIG_MAP}`, look, wait, this);
    return reason === undefined ? pem : stopProgram(reason, this);
  }

  /** ZTWIM's Subscription, and the variables that others have set in it. What they have set as the ConfigMap with CAs stays. */
  private async subscription(
    name: string,
    cluster: ClusterReader,
    peers: pulumi.Output<Peer[]>,
  ): Promise<SubscriptionReference & { env: EnvVar[] }> {
    const found = await orStop(readTrustedCas(cluster), this);
    if (pulumi.isUnknown(found)) return pulumi.unknown as never;
    const { subscription, env } = found;
    if (subscription === undefined) {
      return stopProgram(`${name}: there is no Subscription of ${ZTWIM.packageName} to change`, this);
    }
    const foreign = foreignCas(found);
    const known = foreign === undefined ? undefined : await valueIfKnown(peers);
    if (foreign !== undefined && known !== undefined) {
      const [lacks] = planTrust(true, known, found).problems;
      const about = `Subscription ${subscription.namespace}/${subscription.name} has ${TRUSTED_CA_ENV} "${foreign.name}"`;
      const has = `${about} of somebody else, which lacks no CA of these peers; leave trustPeerCas, or PeerCas, out`;
      return stopProgram(`${name}: ${lacks?.message ?? has}`, this);
    }
    return { ...subscription, env: env.filter((variable) => variable.name !== TRUSTED_CA_ENV) };
  }
}

/** A root of SPIRE's in that store could vouch for any host. */
function checkWebPeers(peers: readonly PeerArgs[]): Problem[] {
  return peers.flatMap((peer, index) =>
    mayHavePrivateCa(peer)
      ? checkBoundCas(`peers[${index}]`, peer)
      : problem(
          `peers[${index}]`,
          `peer "${peer.stack}" has no CA of an https_web endpoint; give peers with profile https_web and caCertificates alone`,
        ),
  );
}

/** One peer by itself: its CA vouches for its endpoint alone, unless somebody has said that it may vouch for every host. */
export function checkBoundCas(path: string, peer: PeerArgs): Problem[] {
  const faults = checkPeer(path, peer);
  if (faults.length > 0 || !isCaKnown(peer)) return faults;
  const unbound = describeUnbound(peer, unboundCas(peer));
  return unbound === undefined ? [] : problem(`${path}.caFingerprints`, unbound);
}

const checkCas = ({ peers }: Pick<PeerCasArgs, "peers">): Problem[] =>
  peers.flatMap((peer, index) => checkBoundCas(`peers[${index}]`, peer));

function wantedSubscription({ namespace, name, env }: SubscriptionReference & { env: EnvVar[] }): WantedObject {
  const metadata = { namespace, name };
  const spec = { config: { env: [...env, { name: TRUSTED_CA_ENV }] } };
  return { apiVersion: SUBSCRIPTION_API, kind: "Subscription", metadata, spec };
}
