import type { ClusterReader } from "./cluster";
import type { Problem } from "./problem";

/** What the cluster has of cert-manager before anything is changed. */
export type InstalledOperator =
  /** Nothing: the stack installs it. */
  | { state: "absent" }
  /** Installed by this very stack, now or before it was destroyed: declared again, which changes nothing. */
  | { state: "ours" }
  /** Installed by others through OLM: used as it is, not declared. */
  | { state: "foreign"; subscription: { namespace: string; name: string } }
  /** Installed by others without OLM: used as it is, not declared; `namespace` is where its pods run. */
  | { state: "plain"; namespace: string };

/** What the stack would install. */
export interface WantedOperator {
  /** Name of the stack, which marks its Subscription. */
  stack: string;
}

/**
 * Finds out what is installed: `InstalledOperator`, or the problems for which the stack must not go on. An operator is
 * never installed beside another.
 */
export function inspectCertManager(
  reader: ClusterReader,
  want: WantedOperator,
): Promise<InstalledOperator | Problem[]> {
  throw new Error(`not yet ${want.stack} ${typeof reader}`);
}
