/** What each command does, prints and ends with. */
import { connect } from "../../components/connect";
import { version } from "../../package.json";
import type { Workspace } from "../pulumi/workspace";
import type { Command, CommandLine } from "./arguments";
import { drift, driftExit, printDrift } from "../drift/drift";
import { endpointBundle } from "../spire/endpointBundle";
import { EXIT, type ExitCode } from "../kernel/exit";
import type { Interruption } from "../kernel/interruption";
import { labels, type MeshMember, readMembers } from "../members/members";
import { readOut, savePage } from "../report/out";
import { changes, preview, printPreview } from "../preview/preview";
import type { PulumiStacks } from "../pulumi/operations";
import { exitOf, printRemove } from "../remove/result";
import { remove } from "../remove/remove";
import type { Report } from "./json";
import { spireServer } from "../spire/spireServer";
import { printStatus, status } from "../status/status";
import { site } from "../remove/traces";
import { printUp, up } from "../up/up";
import { lookOrWait } from "../verify/command";
import { printVerify, summary, type Verification, verifyExit } from "../verify/verification";

/** Everything that a command works with. */
export interface Session extends Pick<CommandLine, "names" | "values" | "parallel"> {
  workspace: Workspace;
  /** Those that are named, or all. */
  members: readonly MeshMember[];
  stacks: PulumiStacks;
  interruption: Interruption;
  /** Says something beside the result. */
  note: (line: string) => void;
  /** The result: the one as JSON, or the other. */
  print: (report: Report, table: string) => void;
  /** Replaces what is on the terminal. */
  redraw: (text: string) => void;
  /** Anything but a yes is a no. */
  ask: () => Promise<boolean>;
}

export const RUN: Record<Command, (session: Session) => Promise<ExitCode>> = {
  async up({ members, stacks, parallel, note, print }) {
    const result = await up(members, stacks, parallel, (round, running) => {
      note(`round ${String(round)}: ${running.map(labels(members)).join(", ")}`);
    });
    print({ command: "up", members: result }, printUp(result));
    return result.every(({ state }) => state === "complete") ? EXIT.fine : EXIT.findings;
  },

  async preview({ members, stacks, parallel, values, print }) {
    const result = await preview(members, stacks, parallel);
    print({ command: "preview", members: result }, printPreview(result));
    if (result.some(({ errors }) => errors.length > 0)) return EXIT.findings;
    if (values["expect-no-changes"] && result.some(changes)) return EXIT.findings;
    return result.every(({ unread }) => unread.length === 0) ? EXIT.fine : EXIT.unknown;
  },

  async drift(session) {
    const { members, stacks, parallel, print } = session;
    const clusters = { reader: connect, server: spireServer, endpoint: endpointBundle };
    const result = await drift(members, await everybody(session), stacks, clusters, parallel);
    print({ command: "drift", members: result }, printDrift(result));
    return driftExit(result);
  },

  async verify(session) {
    const result = await look(session);
    if (!session.values.watch) session.print({ command: "verify", ...result }, printVerify(result));
    return verifyExit(result);
  },

  async report(session) {
    const out = await readOut(session.values);
    const result = await look(session);
    await savePage(out, result);
    session.note(`${summary(result)}; the page is ${out}`);
    return verifyExit(result);
  },

  async status({ members, stacks, parallel, print }) {
    const result = await status(members, stacks, parallel);
    print({ command: "status", members: result }, printStatus(result));
    return result.every(({ unread }) => unread.length === 0) ? EXIT.fine : EXIT.unknown;
  },

  async remove({ members, names: [leaver = ""], values, workspace, stacks, parallel, note, print, ask }) {
    const result = await remove(leaver, members, values.destroy, {
      workspace,
      stacks,
      site,
      parallel,
      note,
      agree: async (plan) => {
        note(plan.trimEnd());
        return values.yes || (await ask());
      },
    });
    print({ command: "remove", ...result }, printRemove(result));
    return exitOf(result);
  },
};

/** Members beside those that are named matter as their peers. */
const everybody = async ({ names, members, workspace }: Session): Promise<readonly MeshMember[]> =>
  names.length === 0 ? members : readMembers(workspace, names, "all");

async function look(session: Session): Promise<Verification> {
  const { members, values, stacks, interruption, note, redraw } = session;
  return lookOrWait(values, {
    chosen: members,
    all: await everybody(session),
    stacks,
    version,
    note,
    interrupted: () => interruption.requested,
    screen: values.watch ? { redraw } : undefined,
  });
}
