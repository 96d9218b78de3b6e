/** How a cluster is reached, and how a person reaches it by hand. Pure. */

import { word } from "./shell";
/** A kubeconfig file and one of its contexts; either may be left to the machine. */
export interface ClusterAccess {
  /** Path of the file, `~` allowed, relative to the project's folder; left out: `$KUBECONFIG`, or `~/.kube/config`. */
  kubeconfig?: string | undefined;
  /** Left out: the file's current context, or the only one that it has. */
  context?: string | undefined;
}

/** The two alone, of whatever has them. */
export function accessOf({ kubeconfig, context }: ClusterAccess): ClusterAccess {
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
