/** A project that a command has opened. Loaded only for commands that need one, because Pulumi's SDK takes long to load. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "../kernel/exit";
import type { Interruption } from "../kernel/interruption";
import { fromId } from "../members/identity";
import { labels, readMembers, withPeers } from "../members/members";
import { PulumiStacks } from "../pulumi/operations";
import { openProject } from "../pulumi/workspace";
import type { Global } from "./arguments";
import type { Context, Session } from "./context";
import { openView, type View } from "./progress";

export interface Opened {
  session: Session;
  view: View;
}

export async function open(
  { cwd, logDir, quiet }: Global,
  names: readonly string[],
  whom: Parameters<Context["open"]>[1],
  withoutPulumi: boolean,
  interruption: Interruption,
  say: (text: string) => void,
): Promise<Opened> {
  checkFolder(cwd);
  const goOn = (because: string): void => {
    say(`Pulumi's backend cannot be asked, so this goes by the stack files alone: ${because}`);
  };
  const workspace = await openProject(cwd, interruption);
  const offline = withoutPulumi ? goOn : undefined;
  const members = whom === "none" ? [] : await readMembers(workspace, names, whom, offline);
  interruption.signal.throwIfAborted();
  const view = openView(process.stderr, whom === "none" ? names : members.map(({ name }) => name), quiet);
  const labelOf = whom === "none" ? (id: string) => fromId(id).stack : labels(members);
  return {
    session: {
      workspace,
      members,
      withPeers: () => withPeers(workspace, members, names, offline && (() => undefined)),
      stacks: new PulumiStacks(workspace, view, interruption, labelOf, logDir),
      interruption,
    },
    view,
  };
}

/** @throws UsageError where no project is */
function checkFolder(dir: string): void {
  if (["Pulumi.yaml", "Pulumi.yml"].some((file) => existsSync(join(dir, file)))) return;
  throw new UsageError(
    `no Pulumi.yaml in ${resolve(dir)}; run it in the project's folder, or name that folder with --cwd`,
  );
}
