/** From a kubeconfig to the files of a federation; no cluster is changed. */
import { connect } from "../../components/cluster/connect";
import type { ClusterAccess } from "../../components/cluster/access";
import { trustDomains } from "../adopt/stock";
import { lookAt, waysOf } from "../init/clusters";
import { printClusters, printFiles, NEXT, printNext } from "../init/initText";
import { checkIssuerWord, emailFor, ISSUER_FORM, issuerConfig, refuseMissingIssuer } from "../init/issuerChoice";
import { type InitCluster, judge, type Judged } from "../init/judgement";
import { projectIn } from "../init/newProject";
import { type Choices, needsIssuer, planFiles, type PlannedFile } from "../init/plannedFiles";
import { EXIT, type ExitCode, UsageError } from "../kernel/exit";
import type { Project } from "../members/project";
import { refuseEdited, save } from "../members/stackFile";
import { spireServer } from "../spire/spireServer";
import { inFile } from "./adoptCommand";
import type { Context, Result } from "./context";
import type { InitFlags } from "./flags";
import { isYes } from "./running";

export async function runInit(context: Context, words: readonly string[], flags: InitFlags): Promise<Result> {
  const { dir, signal, note, did, ask } = context;
  if (flags.issuer !== undefined) checkIssuerWord(flags.issuer);
  const pairs = pairsOf(flags.pair);
  const { project, files: projectFiles } = await projectIn(dir);
  const ways = waysOf(flags.kubeconfig, words);
  const world = {
    reader: (access: ClusterAccess) => connect(access, signal, flags.requestTimeout * 1000),
    server: (access: ClusterAccess) => spireServer(access, signal),
  };
  const sights = await lookAt(ways, world, flags.parallel);
  signal.throwIfAborted();
  const members = await membersOf(project);
  const judged = judge(sights, members, new Date());
  const clusters = judged.map(({ report }) => report);
  const exit = exitOf(judged);
  if (!clusters.some(({ state }) => state === "new")) return resultOf(clusters, [], exit);
  note(printClusters(clusters).trimEnd());
  const chosen = await choose(judged, flags, context);
  const trust = pairs ?? (flags.yes ? undefined : await askPairs(judged, [...members.keys()], ask));
  const planned = await planFiles(judged, [...members.keys()], { ...chosen, pairs: trust }, project, (path) =>
    inFile(dir, path),
  );
  // A member's file names peers, so the files of these are there first.
  const files = [...projectFiles.map((file) => ({ ...file, peers: [] })), ...planned];
  note(printFiles(files).trimEnd());
  if (!flags.yes && !isYes(await ask("Write these files? [y/N] "))) {
    throw new UsageError("cancelled; nothing was written");
  }
  signal.throwIfAborted();
  await refuseEdited(files);
  for (const file of files) {
    await save(file);
    did(`${file.before === undefined ? "wrote" : "changed"} ${file.file}`);
  }
  return resultOf(clusters, files, exit);
}

/**
 * The stacks that are there, with their trust domains.
 *
 * @throws UsageError for one whose cluster cannot be told: it might be one of the new ones
 */
async function membersOf(project: Project): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  for (const [stack, trustDomain] of await trustDomains(project)) {
    if (trustDomain === undefined) {
      const cure = `write ${project.name}:trustDomain into it, or delete the file if it is no member's`;
      throw new UsageError(`Pulumi.${stack}.yaml: it does not say which trust domain its cluster has; ${cure}`);
    }
    members.set(stack, trustDomain);
  }
  return members;
}

/** What no cluster says, of the flags or of whoever sits there. */
async function choose(
  judged: readonly Judged[],
  { issuer: given, profile, email: givenEmail, acmeServer, acceptTos, yes }: InitFlags,
  { ask, note }: Pick<Context, "ask" | "note">,
): Promise<Pick<Choices, "issuer" | "profile">> {
  const open = judged.filter((one) => needsIssuer(one, profile));
  if (open.length === 0) return { issuer: undefined, profile };
  const issuer = given ?? (await askIssuer(open, ask, note));
  refuseMissingIssuer(issuer, open);
  const kind = emailFor(issuer);
  const asks = kind !== "none" && givenEmail === undefined && !yes && given === undefined;
  const email = asks
    ? await ask(`E-mail address of the ACME account${kind === "optional" ? ", for the CA's notices [none]" : ""}: `)
    : givenEmail;
  const accepts =
    acceptTos ||
    (issuer === "spire" &&
      !yes &&
      isYes(await ask("Have you read and do you accept the terms of service of the ACME server's CA? [y/N] ")));
  return { issuer: issuerConfig(issuer, { email, acmeServer, acceptTos: accepts }), profile };
}

async function askIssuer(open: readonly Judged[], ask: Context["ask"], note: Context["note"]): Promise<string> {
  const [first, ...others] = open.map(({ report }) => report.issuers ?? []);
  const everywhere = (first ?? []).filter((issuer) => others.every((list) => list.includes(issuer)));
  note(`The bundle endpoint needs a certificate. It can come from ${ISSUER_FORM} (docs/issuers.md).`);
  if (everywhere.length > 0) note(`All of these clusters have ${everywhere.join(", ")}.`);
  for (;;) {
    const said = (await ask("Issuer [acme]: ")) || "acme";
    try {
      return checkIssuerWord(said);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      note(error.message);
    }
  }
}

async function askPairs(
  judged: readonly Judged[],
  members: readonly string[],
  ask: Context["ask"],
): Promise<Choices["pairs"]> {
  const fresh = judged.flatMap(({ report }) => (report.state === "new" ? [report.stack ?? ""] : []));
  const [one = "", other] = [...new Set([...fresh, ...members])];
  if (other === undefined) return undefined;
  const said = await ask(`Who trusts whom? Pairs such as ${one}:${other}, separated by commas [all trust all]: `);
  return said === "" ? undefined : pairsOf(said.split(","));
}

/** @throws UsageError for what is no pair */
function pairsOf(words: readonly string[]): [string, string][] | undefined {
  if (words.length === 0) return undefined;
  return words.map((word) => {
    const [, one, other] = /^\s*([\w.-]+):([\w.-]+)\s*$/.exec(word) ?? [];
    if (one !== undefined && other !== undefined && one !== other) return [one, other];
    throw new UsageError(`--pair "${word}": it is two stacks that trust each other, such as cluster1:cluster2`);
  });
}

/** What was found counts more than what could not be seen. A cluster without ZTWIM is a finding where it was asked for. */
function exitOf(judged: readonly Judged[]): ExitCode {
  const states = judged.map(({ report, way }) => (report.state === "no-ztwim" && way.named ? "refused" : report.state));
  if (states.includes("refused")) return EXIT.findings;
  if (states.includes("unknown")) return EXIT.unknown;
  return states.includes("new") || states.includes("member") ? EXIT.fine : EXIT.findings;
}

function resultOf(clusters: InitCluster[], files: readonly PlannedFile[], exit: ExitCode): Result {
  const written = files.map(({ file, before, peers }) => ({
    file,
    change: before === undefined ? ("created" as const) : ("changed" as const),
    peers,
  }));
  const wrote = written.length > 0;
  return {
    exit,
    report: { command: "init", clusters, files: written, next: wrote ? [...NEXT] : [] },
    // The plan has shown the clusters, and each file was named when it was written; what is wrong is said once more.
    text: (wrote && exit === EXIT.fine ? "" : printClusters(clusters)) + printNext(wrote),
  };
}
