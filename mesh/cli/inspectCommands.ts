/** What preview, status, config, drift and peer-info do. */
import { writeFile } from "node:fs/promises";
import type { ClusterAccess } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { configExit, configs, printConfigs } from "../config/config";
import { contracts } from "../contract/contracts";
import { printContracts, printForm } from "../contract/contractText";
import { drift, driftExit, printDrift } from "../drift/drift";
import { EXIT, type ExitCode } from "../kernel/exit";
import { isIncomplete, planUp, type PlannedMember } from "../preview/preview";
import { endpointBundle } from "../spire/endpointBundle";
import { spireServer } from "../spire/spireServer";
import { printStatus, status, statusExit } from "../status/status";
import { printPlan } from "../up/planText";
import { apiServer } from "../verify/apiServer";
import { presentedAt } from "../verify/presented";
import type { Context, Result } from "./context";
import type { DriftFlags, PeerInfoFlags, PreviewFlags, StatusFlags } from "./flags";
import { documentOf } from "./json";
import { planSources } from "./running";

export async function runPreview({ open }: Context, names: readonly string[], flags: PreviewFlags): Promise<Result> {
  const { members, stacks, workspace } = await open(names);
  const sources = planSources(stacks.judgedBy(flags.policyPack), workspace);
  const { members: plan } = await planUp(members, sources, flags.parallel);
  const report = { command: "preview" as const, members: plan };
  const exit = exitOfPlan(plan, flags.expectNoChanges);
  if (flags.savePlan !== undefined) await writeFile(flags.savePlan, documentOf(report, exit));
  return { exit, report, text: printPlan(plan, true) };
}

function exitOfPlan(plan: readonly PlannedMember[], expectNoChanges: boolean): ExitCode {
  if (plan.some(({ errors, changes }) => errors.length > 0 || (expectNoChanges && changes))) return EXIT.findings;
  return plan.some(isIncomplete) ? EXIT.unknown : EXIT.fine;
}

export async function runStatus({ open }: Context, names: readonly string[], flags: StatusFlags): Promise<Result> {
  const { members, stacks } = await open(names);
  const result = await status(members, stacks, flags.parallel);
  return { exit: statusExit(result), report: { command: "status", members: result }, text: printStatus(result) };
}

export async function runConfig({ open, note }: Context, names: readonly string[]): Promise<Result> {
  const { workspace } = await open(names, "none");
  const members = await configs(workspace, names, (because) => {
    note(`Pulumi's backend cannot be asked, so this goes by the files alone: ${because}`);
  });
  return { exit: configExit(members), report: { command: "config", members }, text: printConfigs(members) };
}

export async function runDrift({ open }: Context, names: readonly string[], flags: DriftFlags): Promise<Result> {
  const { members, withPeers, stacks, interruption } = await open(names);
  const [{ signal }, requestMs] = [interruption, flags.requestTimeout * 1000];
  const clusters = {
    cluster: (access: ClusterAccess) => ({
      reader: connect(access, signal, requestMs),
      server: spireServer(access, signal, requestMs),
      log: () => apiServer(access, signal, requestMs).serverLog(),
    }),
    endpoint: endpointBundle,
  };
  const result = await drift(members, (await withPeers()).members, stacks, clusters, flags.parallel);
  return { exit: driftExit(result), report: { command: "drift", members: result }, text: printDrift(result) };
}

export async function runPeerInfo({ open }: Context, names: readonly string[], flags: PeerInfoFlags): Promise<Result> {
  const { members, stacks } = await open(names);
  const world = {
    published: (id: string) => stacks.published(id),
    endpoint: presentedAt,
    now: () => new Date(),
  };
  const result = await contracts(members, world, flags.parallel);
  const { output: form } = flags;
  const isKnown = result.every((one) => !("because" in one) && one.rootsUnknown === undefined);
  return {
    exit: isKnown ? EXIT.fine : EXIT.unknown,
    report: { command: "peer-info", members: result },
    text: form === "text" || form === "json" || form === "yaml" ? printContracts(result) : printForm(result, form),
  };
}
