import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "./access";
import { splitPem } from "./arguments";
import type { ClusterReader } from "./cluster";
import { FIELD_MANAGER, OPERAND_NAMESPACE, OWNED, TRUSTED_CA_ENV } from "./names";
import { type EnvVar, SUBSCRIPTION_API, type SubscriptionReference } from "./olm";
import type { Peer } from "./peer";
import { lookAtMountedCas } from "./peerCasReadiness";
import { asFault } from "./problem";
import { ready, waiting, waitUntil, whenReady, type WaitOptions } from "./readiness";
import { done } from "./savedPlan";
import { CA_KEY, peerCas, readCas } from "./trustedCas";

export interface PeerCasArgs {
  /** Reads the cluster, to wait for OpenShift and SPIRE. */
  reader: ClusterReader;
  /** The removal runs when no program does, and connects by itself. */
  access: ClusterAccess;
  /** ZTWIM's Subscription. */
  subscription: SubscriptionReference;
  /** All other variables of the Subscription: the API server knows the list as one value. */
  env: readonly EnvVar[];
  /** Peers with `https_web` and `caCertificates`. */
  peers: readonly Peer[];
  /** Default 300 seconds. */
  wait?: WaitOptions;
}

/** OpenShift fills it with the system's CAs and the cluster's; whoever else writes into it is overwritten. */
export const ROOTS_CONFIG_MAP = "spire-federation-trusted-cas";

/** Runs in the project's folder, and finds this package from there: the state must not name a file of it. */
const REMOVE = "node --eval \"require('spire-federation/remove-peer-cas')\"";

/**
 * Has SPIRE trust the CAs of peers' endpoints, beside all that it trusts already.
 *
 * ZTWIM's operator mounts the ConfigMap that `TRUSTED_CA_BUNDLE_CONFIGMAP` of its Subscription names in the place of the
 * system's CAs. So that ConfigMap has those as well, from a second one that OpenShift fills. Ready means that SPIRE's pods
 * have it: the SPIRE server restarts for it, and whenever a peer's CA or the cluster's own CAs change.
 *
 * A destroy takes the variable out first, waits for SPIRE's pods, and then deletes the ConfigMaps: a pod whose ConfigMap
 * is missing does not start.
 */
export class PeerCas extends pulumi.ComponentResource {
  /** This component, once SPIRE trusts the CAs. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, args: PeerCasArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:PeerCas", name, {}, opts);
    const { reader, access, subscription, env, peers } = args;
    const wait = { timeoutSeconds: 300, pollMs: 1000, ...args.wait };
    const metadata = { namespace: OPERAND_NAMESPACE, annotations: OWNED };
    const roots = new k8s.core.v1.ConfigMap(
      `${name}-roots`,
      {
        metadata: {
          ...metadata,
          name: ROOTS_CONFIG_MAP,
          labels: { "config.openshift.io/inject-trusted-cabundle": "true" },
        },
      },
      { parent: this },
    );
    // Two steps: the second is left out while the first is unknown.
    const filled = done(roots).apply(() => this.filled(reader, wait));
    const content = filled.apply((pem) => peerCas(pem, peers));
    const bundle = new k8s.core.v1.ConfigMap(
      `${name}-bundle`,
      {
        metadata: { ...metadata, name: content.apply((it) => it.name) },
        immutable: true,
        data: { [CA_KEY]: content.apply(({ pem }) => pem) },
      },
      { parent: this },
    );
    const patch = new k8s.apiextensions.CustomResourcePatch(
      `${name}-subscription`,
      {
        apiVersion: SUBSCRIPTION_API,
        kind: "Subscription",
        metadata: { ...subscription, annotations: { ...OWNED, "pulumi.com/patchFieldManager": FIELD_MANAGER } },
        spec: { config: { env: [...env, { name: TRUSTED_CA_ENV, value: bundle.metadata.name }] } },
      },
      { parent: this },
    );
    new local.Command(
      `${name}-removal`,
      {
        delete: REMOVE,
        environment: {
          ...(access.context !== undefined && { KUBE_CONTEXT: access.context }),
          ...(access.kubeconfig !== undefined && { KUBE_CONFIG: access.kubeconfig }),
        },
        logging: "stderr",
      },
      { parent: this, dependsOn: patch },
    );
    this.ready = whenReady(
      this,
      pulumi.all([bundle.metadata.name, done(patch)]),
      "SPIRE with the CAs of peers",
      ([mounted]) => lookAtMountedCas(reader, mounted),
      wait,
    );
    this.registerOutputs({});
  }

  /** The CAs that OpenShift has written; in a preview those that are there, if any. */
  private async filled(reader: ClusterReader, wait: Required<WaitOptions>): Promise<string> {
    const read = (): Promise<string> => readCas(reader, ROOTS_CONFIG_MAP).catch(asFault(this));
    if (pulumi.runtime.isDryRun()) return (await read()) || (pulumi.unknown as string);
    let pem = "";
    const look = async (): ReturnType<typeof lookAtMountedCas> => {
      pem = await read();
      if (splitPem(pem).length > 0) return ready;
      return waiting("OpenShift's network operator has not written the cluster's CAs into it");
    };
    await waitUntil(`ConfigMap ${ROOTS_CONFIG_MAP}`, look, wait, this);
    return pem;
  }
}
