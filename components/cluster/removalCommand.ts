/** Removals that only a program can do, when the stack is destroyed. */
import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterAccessArgs } from "./access";

/**
 * Runs a script of this package before `after` is deleted. No program runs at a destroy, so the script connects by itself, and
 * fails in a cluster of another trust domain than `own`.
 *
 * Pulumi runs it in the project's folder. The script finds this package from there by its name: the state must not name a
 * file of it.
 */
export function removalCommand(
  name: string,
  script: "remove-peer-cas" | "remove-peers",
  { kubeconfig, context }: ClusterAccessArgs,
  parent: pulumi.Resource,
  after: pulumi.Resource,
  own: pulumi.Input<string>,
  more: Record<string, pulumi.Input<string>> = {},
): local.Command {
  const environment = {
    ...more,
    OWN_TRUST_DOMAIN: own,
    ...(context !== undefined && { KUBE_CONTEXT: context }),
    ...(kubeconfig !== undefined && { KUBE_CONFIG: kubeconfig }),
  };
  const remove = `node --eval "require('spire-federation/${script}')"`;
  return new local.Command(name, { delete: remove, environment, logging: "stderr" }, { parent, dependsOn: after });
}
