/** What the commands that run stacks have in common: the answer, the rounds, and new stacks. */
import { createHash } from "node:crypto";
import { fromId } from "../members/identity";
import { labels, type MeshMember } from "../members/members";
import { projectOf } from "../members/project";
import { readStackFile, secretsProvider } from "../members/stackFile";
import type { PlanSources } from "../preview/preview";
import { serverChange } from "../spire/serverSight";
import type { Stacks } from "../up/up";
import type { Context, Session } from "./context";

/** Everything else, and an empty answer, means no. */
export const isYes = (answer: string): boolean => /^y(es)?$/i.test(answer);

/** Runs stacks, and sees in their clusters what that does to the SPIRE servers. */
export const seenUp =
  (stacks: Pick<Session["stacks"], "up" | "server">, members: readonly MeshMember[]): Stacks["up"] =>
  async (id, approved) => {
    const member = members.find((one) => one.id === id);
    const before = member && (await stacks.server(member));
    const outcome = await stacks.up(id, approved);
    if (member === undefined || before === undefined || "because" in before) return outcome;
    const after = await stacks.server(member);
    return "because" in after ? outcome : { ...outcome, ...serverChange(before.seen, after.seen) };
  };

/** Says whose turn it is. */
export const sayRound =
  ({ note }: Pick<Context, "note">, members: readonly MeshMember[]) =>
  (round: number, running: readonly string[]): void => {
    note(`round ${String(round)}: ${running.map(labels(members)).join(", ")}`);
  };

/** From where `preview` and `up` make their plan. */
export const planSources = (stacks: Session["stacks"], workspace: Session["workspace"]): PlanSources => ({
  published: (id) => stacks.published(id),
  preview: (id) => stacks.preview(id),
  roots: (first) => stacks.roots(first),
  ownRoots: (member) => stacks.ownRoots(member),
  workloads: (member) => stacks.workloads(member),
  isSettled: (id) => stacks.isSettled(id),
  config: async ({ config: { self } }) => {
    const project = await projectOf(workspace);
    const { config, environment } = await readStackFile(project.configDir, self.stack);
    return createHash("sha256")
      .update(JSON.stringify([config, environment, project.defaults]))
      .digest("hex");
  },
});

/**
 * Makes stacks, by the secrets provider that their files name.
 *
 * @param provider of those whose files name none; undefined: the backend's own
 */
export const stackMaker =
  ({ stacks, workspace }: Pick<Session, "stacks" | "workspace">, did: Context["did"], provider: string | undefined) =>
  async (id: string): Promise<void> => {
    const { configDir } = await projectOf(workspace);
    const file = await readStackFile(configDir, fromId(id).stack);
    did(`created stack ${await stacks.make(id, secretsProvider(file, provider))}`);
  };
