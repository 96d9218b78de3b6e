/** A cluster that is a list of objects, and whose Services answer nothing. */
import { CONTROLLER } from "../../components/operators/inspectCertManager";
import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import { demandServed } from "./apis";

export function clusterOf(...objects: KubeObject[]): Cluster {
  const of = (apiVersion: string, kind: string): KubeObject[] => {
    demandServed(apiVersion, kind);
    return objects.filter((object) => object.apiVersion === apiVersion && object.kind === kind);
  };
  return {
    access: {},
    get: <T extends KubeObject>(apiVersion: string, kind: string, name: string, namespace?: string) =>
      Promise.resolve(
        of(apiVersion, kind).find(({ metadata }) => metadata?.name === name && metadata.namespace === namespace) as
          T | undefined,
      ),
    list: <T extends KubeObject>(apiVersion: string, kind: string, namespace?: string, selector?: string) =>
      Promise.resolve(
        of(apiVersion, kind).filter(
          ({ metadata }) =>
            (namespace === undefined || metadata?.namespace === namespace) &&
            (selector !== CONTROLLER || metadata?.name === "cert-manager"),
        ) as T[],
      ),
    ask: () => Promise.resolve(undefined),
  };
}

/** A cluster with ZTWIM, whose SPIRE server has those roots (PEM). */
export const spireCluster = (trustDomain: string, roots: string): Cluster =>
  clusterOf(
    {
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "ZeroTrustWorkloadIdentityManager",
      metadata: { name: "cluster" },
      ...{ spec: { trustDomain } },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "spire-bundle", namespace: "zero-trust-workload-identity-manager" },
      ...{ data: { "bundle.crt": roots } },
    },
  );
