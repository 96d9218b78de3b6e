/** A stack's config and its cluster, as they are when nothing is wrong. */
import type { KubeObject } from "../../components/cluster/cluster";
import { type ClusterConfig, parseConfig } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import type { StackName } from "../../stacks/stackName";

export const SELF: StackName = { organization: "organization", project: "spire-federation", stack: "cluster1" };

export const PEER = { name: "cluster2", id: "organization/spire-federation/cluster2", rebootstrap: 0 };

const REQUIRED = { context: "cluster1", trustDomain: "apps.cluster1.example.com" };

export function configOf(raw: Record<string, unknown> = {}, self = SELF): ClusterConfig {
  return parseConfig({ ...REQUIRED, ...raw }, self);
}

/** What is refused: `path: message` of each problem, none when it isn't. */
export function refusalsOf(raw: Record<string, unknown>): string[] {
  try {
    configOf(raw);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

type Live = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

/** A cluster on which ZTWIM is installed and nothing of ours is there. */
export function freshCluster(
  name = "cluster1",
): Record<"ztwim" | "spireServer" | "ingress" | "crd" | "version" | "ingressClass" | "csv", Live> {
  const domain = `apps.${name}.example.com`;
  return {
    ztwim: {
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "ZeroTrustWorkloadIdentityManager",
      metadata: { name: "cluster" },
      spec: { trustDomain: domain, clusterName: name },
    },
    spireServer: {
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: { jwtIssuer: `https://oidc.${domain}` },
    },
    ingress: {
      apiVersion: "config.openshift.io/v1",
      kind: "Ingress",
      metadata: { name: "cluster" },
      spec: { domain },
    },
    crd: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "clusterfederatedtrustdomains.spire.spiffe.io" },
    },
    version: {
      apiVersion: "config.openshift.io/v1",
      kind: "ClusterVersion",
      metadata: { name: "version" },
      status: { desired: { version: "4.20.8" } },
    },
    ingressClass: {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "openshift-default" },
    },
    csv: {
      apiVersion: "operators.coreos.com/v1alpha1",
      kind: "ClusterServiceVersion",
      metadata: {
        name: "zero-trust-workload-identity-manager.v1.1.0",
        namespace: "zero-trust-workload-identity-manager",
      },
      status: { phase: "Succeeded" },
    },
  };
}
