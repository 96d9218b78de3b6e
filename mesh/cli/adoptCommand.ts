/** Takes over what was federated by hand. */
import { relative, resolve } from "node:path";
import { PROGRAM } from "../../components/shared/names";
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { adopt, type AdoptedMember, type AdoptWorld, planAdoption, refuses, unchangedMember } from "../adopt/adopt";
import { printAdopted, printPlans } from "../adopt/adoptText";
import { type Stock, takeStock } from "../adopt/stock";
import { EXIT, UsageError } from "../kernel/exit";
import { fromId } from "../members/identity";
import { readMembers } from "../members/members";
import { projectOf } from "../members/project";
import { save } from "../members/stackFile";
import { spireServer } from "../spire/spireServer";
import type { AdoptFlags } from "./flags";
import type { Context, Result, Session } from "./context";
import { isYes, sayRound, stackMaker } from "./running";

export async function runAdopt(
  { open, note, did, ask }: Context,
  names: readonly string[],
  flags: AdoptFlags,
): Promise<Result> {
  if (names.length > 1 && flags.context !== undefined)
    throw new UsageError("--context is that of one cluster; adopt one stack after the other, or set it in their files");
  const session = await open(names, "none");
  const stocks = await stocksOf(names, flags, session);
  if (stocks.some(({ obstacles }) => obstacles.length > 0)) return resultOf(stocks.map((one) => unchangedMember(one)));
  for (const { file } of stocks) {
    if (file.text === file.before) continue;
    await save(file);
    did(`${file.before === undefined ? "wrote" : "added to"} ${file.file}`);
  }
  const members = await readMembers(session.workspace, names);
  const world = worldOf(session, did, flags.secretsProvider);
  const plans = await planAdoption(members, world, flags.parallel);
  const planned = stocks.map((stock) =>
    unchangedMember(
      stock,
      plans.find(({ id }) => fromId(id).stack === stock.stack),
    ),
  );
  if (plans.some(refuses)) return resultOf(planned);
  note(printPlans(planned).trimEnd());
  if (!flags.yes && !isYes(await ask("Proceed? [y/N] "))) {
    throw new UsageError("cancelled; no cluster was changed");
  }
  const onRound = sayRound({ note }, members);
  const { signal } = session.interruption;
  return resultOf(await adopt(members, stocks, plans, world, flags.parallel, onRound, signal));
}

async function stocksOf(names: readonly string[], given: Partial<ClusterAccess>, session: Session): Promise<Stock[]> {
  const { workspace, interruption } = session;
  const kubeconfig = given.kubeconfig === undefined ? {} : { kubeconfig: inFile(workspace.workDir, given.kubeconfig) };
  return takeStock([...new Set(names)], accessOf({ ...given, ...kubeconfig }), {
    project: await projectOf(workspace),
    dir: workspace.workDir,
    reader: (access: ClusterAccess) => connect(access, interruption.signal),
    server: (access: ClusterAccess) => spireServer(access, interruption.signal),
  });
}

/** A path of the command line starts in the current folder, one of a stack file in the project's. Pure. */
export const inFile = (project: string, path: string, here = ""): string =>
  /^[~/]/.test(path) ? path : relative(project, resolve(here, path));

const worldOf = (session: Session, did: Context["did"], provider: string | undefined): AdoptWorld => {
  const { stacks, interruption } = session;
  return {
    published: (id) => stacks.published(id),
    up: (id) => stacks.up(id),
    drift: (id) => stacks.drift(id),
    make: stackMaker(session, did, provider),
    reader: (access) => connect(access, interruption.signal),
  };
};

const resultOf = (members: AdoptedMember[]): Result => ({
  exit: members.every(({ state }) => state === "adopted") ? EXIT.fine : EXIT.findings,
  report: { command: "adopt", members },
  text:
    printAdopted(members) + (members.some(({ state }) => state === "refused") ? "Nothing was taken over.\n" : ADVICE),
});

const ADVICE =
  "Take these objects out of Git, or of whatever else applies them. " +
  `Commit the stack files, and run npx ${PROGRAM} verify.\n`;
