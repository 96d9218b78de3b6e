/** What a command works with, and what it comes to. */
import type { ExitCode } from "../kernel/exit";
import type { Interruption } from "../kernel/interruption";
import type { MeshMember, WithPeers } from "../members/members";
import type { PulumiStacks } from "../pulumi/operations";
import type { Workspace } from "../pulumi/workspace";
import type { Report } from "./json";

/** An opened project. */
export interface Session {
  workspace: Workspace;
  /** The named members, or all. */
  members: readonly MeshMember[];
  /** The members, and their peers among the stacks of this folder. */
  withPeers: () => Promise<WithPeers>;
  stacks: PulumiStacks;
  interruption: Interruption;
}

export interface Context {
  /**
   * Opens the project.
   *
   * @param names of members; none for all
   * @param whom "all": everybody, the names only say in which organization; "none": no member is read, and the stacks of
   * that name may have no file yet
   * @param withoutPulumi goes on with what the files say when the backend cannot be asked, which is enough to look at clusters
   */
  open: (names: readonly string[], whom?: "named" | "all" | "none", withoutPulumi?: boolean) => Promise<Session>;
  /** The folder of the project, for a command that opens none. */
  dir: string;
  /** Aborted when somebody interrupts the command. */
  signal: AbortSignal;
  /** Says something on stderr. */
  note: (line: string) => void;
  /** The same of what was changed: should the command fail before it has a result, it says this again. */
  did: (what: string) => void;
  /** Remembers what is there only for a while, as `did` does but without a word; the function that it gives is called when it is gone. */
  made: (what: string) => () => void;
  /** Replaces what is on the terminal. */
  redraw: (text: string) => void;
  /** Asks on the terminal; an empty answer when it is interrupted or the input ends. */
  ask: (question: string) => Promise<string>;
}

export interface Result {
  exit: ExitCode;
  /** For `-o json`. */
  report: Report;
  /** For people. */
  text: string;
  /** The text is a document for programs: no colours. */
  raw?: boolean;
}
