/** How a cluster is reached, and how a person reaches it by hand. Pure. */
import type * as pulumi from "@pulumi/pulumi";
import { word } from "../shared/shell";

/**
 * The cluster that a component reads: its kubeconfig file and the context in it.
 *
 * A component reads the cluster with them, to wait until its objects are ready and to find changes that Pulumi does not see,
 * and makes its provider of them. A provider that is given as well must lead to the same cluster; the component compares.
 *
 * @example
 * const access = new RouterSecretAccess("router-access", { context: "cluster1" });
 */
export interface ClusterAccessArgs {
  /**
   * Path of the kubeconfig file. A leading `~/` is the home directory; a relative path starts in the project directory.
   * Default: `$KUBECONFIG`, or `~/.kube/config`.
   */
  kubeconfig?: pulumi.Input<string> | undefined;
  /** Context of the kubeconfig. Default: its current context, or the only one that it has. */
  context?: pulumi.Input<string> | undefined;
}

/** The same, known. */
export interface ClusterAccess {
  kubeconfig?: string | undefined;
  context?: string | undefined;
}

/** Picks kubeconfig and context. */
export function accessOf(access: ClusterAccess): ClusterAccess;
export function accessOf(access: ClusterAccessArgs): ClusterAccessArgs;
export function accessOf({ kubeconfig, context }: ClusterAccessArgs): ClusterAccessArgs {
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) };
}

/** An `oc` command for the cluster. */
export const oc = (access: ClusterAccess, command: string): string => `oc ${accessFlags(access)}${command}`;

/** The flags that lead `oc`, `kubectl` and `cmctl` to the cluster, each with a space behind it. */
export function accessFlags({ kubeconfig, context }: ClusterAccess): string {
  const flags = [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", word(kubeconfig)]),
    ...(context === undefined ? [] : ["--context", word(context)]),
  ];
  return flags.map((flag) => `${flag} `).join("");
}
