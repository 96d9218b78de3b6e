/** A project that a command has opened. Loaded only for commands that need one, because Pulumi's SDK takes long to load. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type SignalExit, UsageError } from "../kernel/exit";
import { listenForInterruption } from "../kernel/interruption";
import { fromId } from "../members/identity";
import { labels, readMembers, withPeers } from "../members/members";
import { PulumiStacks } from "../pulumi/operations";
import { openProject } from "../pulumi/workspace";
import type { Global } from "./arguments";
import type { Context, Session } from "./context";
import { openView } from "./progress";

export interface Opened {
  session: Session;
  note: (text: string) => void;
  /** Of the signal that has ended the command early. */
  exitCode: () => SignalExit | undefined;
  close: () => void;
}

export async function open(
  { cwd, logDir, quiet }: Global,
  names: readonly string[],
  whom: Parameters<Context["open"]>[1],
  withoutPulumi: boolean,
  say: (text: string) => void,
): Promise<Opened> {
  checkFolder(cwd);
  const goOn = (because: string): void => {
    say(`Pulumi's backend cannot be asked, so this goes by the stack files alone: ${because}`);
  };
  const workspace = await openProject(cwd);
  const offline = withoutPulumi ? goOn : undefined;
  const members = whom === "none" ? [] : await readMembers(workspace, names, whom, offline);
  const view = openView(process.stderr, whom === "none" ? names : members.map(({ name }) => name), quiet);
  const note = (text: string): void => {
    view.note(text);
  };
  const interruption = listenForInterruption(note);
  const labelOf = whom === "none" ? (id: string) => fromId(id).stack : labels(members);
  return {
    session: {
      workspace,
      members,
      withPeers: () => withPeers(workspace, members, names, offline && (() => undefined)),
      stacks: new PulumiStacks(workspace, view, interruption, labelOf, logDir),
      interruption,
    },
    note,
    exitCode: () => interruption.exitCode(),
    close: () => {
      interruption.close();
      view.close();
    },
  };
}

/** @throws UsageError where no project is */
function checkFolder(dir: string): void {
  if (["Pulumi.yaml", "Pulumi.yml"].some((file) => existsSync(join(dir, file)))) return;
  throw new UsageError(
    `no Pulumi.yaml in ${resolve(dir)}; run it in the project's folder, or name that folder with --cwd`,
  );
}
