/** The command line: reads it, runs one command, prints its result, gives the exit code. The only place that knows `process`. */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { version } from "../package.json";
import { connect } from "../components/connect";
import { openProject } from "./backend";
import { drift, driftExit, printDrift } from "./drift";
import { endpointBundle } from "./endpointBundle";
import { EXIT, type ExitCode, UsageError } from "./exit";
import { listenForInterruption } from "./interruption";
import { readMembers } from "./members";
import { readOut, savePage } from "./page/out";
import { changes, preview, printPreview } from "./preview";
import { PROBE_IMAGE } from "./probe/objects";
import { PulumiStacks } from "./pulumiStacks";
import { exitOf, printRemove } from "./removalResult";
import { remove } from "./remove";
import type { Report } from "./report";
import { spireServer } from "./spireServer";
import { printStatus, status } from "./status";
import { site } from "./trustTraces";
import { checkOptions, lookOrWait } from "./verify/command";
import { printVerify, summary, verifyExit } from "./verify/verification";
import { printUp, up } from "./up";
import { openView } from "./view";

const HELP = `mesh: one command over all stacks of this project; each stack is one cluster of a SPIRE federation

  npx mesh up [stack…]       bring all members together: makes missing stacks, runs everybody, then again only those
                             whose peers have published a new endpoint; finishes what an earlier one was interrupted in
  npx mesh preview [stack…]  what mesh up would change, in whom the members trust first; changes nothing
  npx mesh drift [stack…]    what somebody has changed in the clusters and their SPIRE servers, and what no stack declares;
                             changes nothing, and reading is enough
  npx mesh verify [stack…]   proof from outside that every member and every pair works: from the clusters, the endpoints over TLS, and
                             the SPIRE servers and their logs; each failure with its cure. docs/checks.md explains the codes
  npx mesh report [stack…]   what verify sees, as one page for a browser: what is wrong and what to do, who trusts whom, what ends
                             when; --out FILE says where to
  npx mesh status [stack…]   members, whom they trust, who is pending; from what the stacks have published, no cluster is asked
  npx mesh remove <stack>    takes a member out: the others and it stop trusting each other, their SPIRE servers forget
                             each other's bundles, and that is seen to be so; asks before it changes anything

Members are the stacks that have a file Pulumi.<stack>.yaml, or those that are named.

  --cwd DIR       folder of the project; default: the current one
  --parallel N    members that run at the same time; default 4
  --expect-no-changes  with preview: exit code 1 when something would change
  --destroy       with remove: destroy the stack of the member that was taken out
  --yes           with remove: don't ask
  --out FILE      with report: the page
  --wait [TIME]   with verify and report: look again until all is well, for that long at most; default 5m
  --watch         with verify: look again and again, on a terminal
  --precheck      with verify and report: what can be said before the first up
  --probe         with verify and report: a workload in each cluster gets its SVID and does mTLS with those of its peers; what is made for it is
                  taken away again, also when it fails. docs/rbac/auditor-probe.yaml has the rights for it
  --probe-image IMAGE  a container image with Node 20 or later, instead of ${PROBE_IMAGE}
  --json          the result as JSON on stdout instead of a table; mesh/schema.json describes it
  --debug         errors with their stack
  --help

Progress goes to stderr, the result to stdout. Exit code: 0 fine; 1 a member failed or is pending, or findings; 2 wrong usage or
config, nothing was done; 3 something could not be found out.
`;

const COMMANDS = ["up", "preview", "drift", "verify", "report", "status", "remove"] as const;

const OPTIONS = {
  cwd: { type: "string", default: "." },
  parallel: { type: "string", default: "4" },
  json: { type: "boolean", default: false },
  "expect-no-changes": { type: "boolean", default: false },
  destroy: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  out: { type: "string" },
  wait: { type: "string" },
  watch: { type: "boolean", default: false },
  precheck: { type: "boolean", default: false },
  probe: { type: "boolean", default: false },
  "probe-image": { type: "string" },
  debug: { type: "boolean", default: false },
  help: { type: "boolean", default: false, short: "h" },
} as const;

const CLUSTERS = { reader: connect, server: spireServer, endpoint: endpointBundle };

export async function main(argv: readonly string[]): Promise<ExitCode> {
  const debug = argv.includes("--debug");
  try {
    return await run(argv);
  } catch (error) {
    const known = error instanceof UsageError;
    const text = error instanceof Error ? ((debug ? error.stack : undefined) ?? error.message) : String(error);
    process.stderr.write(`mesh: ${text}\n`);
    return known ? EXIT.usage : EXIT.unknown;
  }
}

async function run(argv: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parse(argv);
  const [asked, ...names] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.fine;
  }
  const parallel = Number(values.parallel);
  if (!Number.isInteger(parallel) || parallel < 1) {
    throw new UsageError(`--parallel ${values.parallel}: it is a whole number, 1 or more`);
  }
  const command = COMMANDS.find((one) => one === asked);
  if (command === undefined) {
    throw new UsageError(`${asked === undefined ? "no command" : `"${asked}" is no command`}\n\n${HELP}`);
  }
  const [leaver] = names;
  if (command === "remove") {
    if (leaver === undefined || names.length > 1) throw new UsageError("remove takes the name of one stack");
    if (!values.yes && !process.stdin.isTTY) {
      throw new UsageError("remove asks before it changes anything, and here is no terminal; --yes goes on without");
    }
  }
  if (command === "verify" || command === "report") checkOptions(values, values.json, process.stdout.isTTY);
  if (command !== "report" && values.out !== undefined) throw new UsageError("--out goes with report");
  const out = command === "report" ? await readOut(values) : undefined;
  const workspace = await openProject(values.cwd);
  const members = await readMembers(workspace, command === "remove" ? [] : names);
  const view = openView(
    process.stderr,
    members.map(({ name }) => name),
  );
  const interruption = listenForInterruption((line) => {
    view.note(line);
  });
  const stacks = new PulumiStacks(workspace, view, interruption);
  const print = (report: Report, table: string): void => {
    process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : table);
  };
  try {
    if (command === "status") {
      const result = await status(members, stacks);
      view.close();
      print({ command, members: result }, printStatus(result));
      return EXIT.fine;
    }
    if (command === "preview") {
      const result = await preview(members, stacks, parallel);
      view.close();
      print({ command, members: result }, printPreview(result));
      if (result.some(({ errors }) => errors.length > 0)) return EXIT.findings;
      return values["expect-no-changes"] && result.some(changes) ? EXIT.findings : EXIT.fine;
    }
    if (command === "drift") {
      const all = names.length === 0 ? members : await readMembers(workspace);
      const result = await drift(members, all, stacks, CLUSTERS, parallel);
      view.close();
      print({ command, members: result }, printDrift(result));
      return driftExit(result);
    }
    if (command === "verify" || command === "report") {
      const result = await lookOrWait(values, {
        chosen: members,
        all: names.length === 0 ? members : await readMembers(workspace),
        stacks,
        version,
        note: (line) => {
          view.note(line);
        },
        interrupted: () => interruption.requested,
        screen: values.watch ? { redraw: (text) => process.stdout.write(`${CLEAR}${text}`) } : undefined,
      });
      if (out !== undefined) {
        await savePage(out, result);
        view.note(`${summary(result)}; the page is ${out}`);
      }
      view.close();
      if (command === "verify" && !values.watch) print({ command, ...result }, printVerify(result));
      return verifyExit(result);
    }
    if (command === "remove") {
      const result = await remove(leaver ?? "", members, values.destroy, {
        workspace,
        stacks,
        site,
        parallel,
        note: (line) => {
          view.note(line);
        },
        agree: async (plan) => {
          view.note(plan.trimEnd());
          return values.yes || (await askForYes());
        },
      });
      view.close();
      print({ command, ...result }, printRemove(result));
      return exitOf(result);
    }
    const made = await stacks.init(members.flatMap(({ name, peers }) => [name, ...peers]));
    if (made.length > 0) view.note(`made stacks: ${made.join(", ")}`);
    const result = await up(members, stacks, parallel, (round, running) => {
      view.note(`round ${String(round)}: ${running.join(", ")}`);
    });
    view.close();
    print({ command, members: result }, printUp(result));
    return result.every(({ state }) => state === "complete") ? EXIT.fine : EXIT.findings;
  } finally {
    interruption.close();
    view.close();
  }
}

/** Anything but a yes is a no; so is the end of the input, and Ctrl-C. */
async function askForYes(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((done) => {
    terminal.once("close", () => {
      done("");
    });
  });
  const answer = await Promise.race([terminal.question("Go on? [y/N] "), ended]).catch(() => "");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: withDurations(argv), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

/** Clears the screen, and begins at its top. */
const CLEAR = "\x1b[2J\x1b[H";

/** parseArgs knows no option whose value may be left out: `--wait` alone is `--wait=5m`. */
function withDurations(argv: readonly string[]): string[] {
  return argv.map((word, index) => (word === "--wait" && !/^\d/.test(argv[index + 1] ?? "") ? "--wait=5m" : word));
}
