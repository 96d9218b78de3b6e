/** What all objects of deploy/pko have in common. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A Kubernetes object as it is applied. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Readonly<Record<string, string>> };
  [field: string]: unknown;
}

export interface Deployment {
  /** With the project, its packages, Pulumi and the plugins; deploy/pko/Containerfile makes one. */
  image: string;
  /** URL of the state that all members share. */
  backend: string;
  namespace: string;
  /** After how many seconds a member runs again. */
  resync: number;
  /** The operator runs in the member's own cluster, as the deployer of docs/rbac. */
  inCluster: boolean;
  /** With Deployment `metrics`, of all members. */
  metrics?: boolean;
}

/** Marks Stacks that CronJob `nudge` looks after. */
export const LABELS = { "app.kubernetes.io/part-of": "spire-federation" };

/** Where the image has the project. */
export const IMAGE_PROJECT = "/opt/spire-federation";

/** Of each container. */
export const CONFINED = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

/** Of pods whose container writes nowhere but into its volumes. */
export const POD_SECURITY = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

export const envOf = (values: Readonly<Record<string, string>>): object[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

/** A file beside this one. */
export const besides = (file: string): string => readFileSync(join(__dirname, file), "utf8");

export const named = (name: string, { namespace }: Deployment): KubernetesObject["metadata"] => ({
  name,
  namespace,
  labels: LABELS,
});
