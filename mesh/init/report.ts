/** What `init` tells programs. */
import type { InitCluster } from "./judgement";

export interface InitReport {
  /** All contexts that were looked at, in the kubeconfig's order. */
  clusters: InitCluster[];
  files: InitFile[];
  /** Commands that come next; none where nothing was written. */
  next: string[];
}

/** A file that was written. */
export interface InitFile {
  file: string;
  change: "created" | "changed";
  /** Stacks that it has as peers now, of those that it had not. */
  peers: string[];
}
