/** What a command works with, and what it comes to. */
import type { ExitCode } from "../kernel/exit";
import type { Interruption } from "../kernel/interruption";
import type { MeshMember } from "../members/members";
import type { PulumiStacks } from "../pulumi/operations";
import type { Workspace } from "../pulumi/workspace";
import type { Report } from "./json";

/** An opened project. */
export interface Session {
  workspace: Workspace;
  /** The named members, or all. */
  members: readonly MeshMember[];
  /** All members: those that are not named matter as peers. */
  everybody: () => Promise<readonly MeshMember[]>;
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
   */
  open: (names: readonly string[], whom?: "named" | "all" | "none") => Promise<Session>;
  /** Says something on stderr. */
  note: (line: string) => void;
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
}
