/** What somebody has written on the command line, or what is wrong with it. */
import { parseArgs } from "node:util";
import { PROGRAM } from "../../components/names";
import { UsageError } from "../kernel/exit";
import { PROBE_IMAGE } from "../verify/probe/probeObjects";
import { checkOptions } from "../verify/command";

export const HELP = `${PROGRAM}: one command over all stacks of this project; each stack is one cluster of a SPIRE federation

  npx ${PROGRAM} up [stack…]       bring all members together: makes missing stacks, runs everybody, then again only those
                             whose peers have published a new endpoint; finishes what an earlier one was interrupted in
  npx ${PROGRAM} preview [stack…]  what up would change, in whom the members trust first; changes nothing
  npx ${PROGRAM} drift [stack…]    what somebody has changed in the clusters and their SPIRE servers, and what no stack declares;
                             changes nothing, and reading is enough
  npx ${PROGRAM} verify [stack…]   proof from outside that every member and every pair works: from the clusters, the endpoints over TLS, and
                             the SPIRE servers and their logs; each failure with its cure. docs/checks.md explains the codes
  npx ${PROGRAM} report [stack…]   what verify sees, as one page for a browser: what is wrong and what to do, who trusts whom, what ends
                             when; --out FILE says where to
  npx ${PROGRAM} status [stack…]   members, whom they trust, who is pending; from what the stacks have published, no cluster is asked
  npx ${PROGRAM} remove <stack>    takes a member out: the others and it stop trusting each other, their SPIRE servers forget
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
  --json          the result as JSON on stdout instead of a table; mesh/cli/schema.json describes it
  --debug         errors with their stack
  --help

Progress goes to stderr, the result to stdout. Exit code: 0 fine; 1 a member failed or is pending, or findings; 2 wrong usage or
config, nothing was done; 3 something could not be found out.
`;

const COMMANDS = ["up", "preview", "drift", "verify", "report", "status", "remove"] as const;

export type Command = (typeof COMMANDS)[number];

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

export type Values = ReturnType<typeof parse>["values"];

export interface CommandLine {
  command: Command;
  /** Stacks. */
  names: string[];
  values: Values;
  parallel: number;
}

/** Where the program runs. */
export interface Terminals {
  /** Somebody can be asked. */
  input: boolean;
  /** What is printed can be redrawn. */
  output: boolean;
}

/** @returns undefined when only help is asked for; @throws UsageError */
export function readCommandLine(argv: readonly string[], terminals: Terminals): CommandLine | undefined {
  const { values, positionals } = parse(argv);
  const [asked, ...names] = positionals;
  if (values.help) return undefined;
  const parallel = Number(values.parallel);
  if (!Number.isInteger(parallel) || parallel < 1) {
    throw new UsageError(`--parallel ${values.parallel}: it is a whole number, 1 or more`);
  }
  const command = COMMANDS.find((one) => one === asked);
  if (command === undefined) {
    throw new UsageError(`${asked === undefined ? "no command" : `"${asked}" is no command`}\n\n${HELP}`);
  }
  if (command === "remove") {
    if (names.length !== 1) throw new UsageError("remove takes the name of one stack");
    if (!values.yes && !terminals.input) {
      throw new UsageError("remove asks before it changes anything, and here is no terminal; --yes goes on without");
    }
  }
  if (command === "verify" || command === "report") checkOptions(values, values.json, terminals.output);
  if (command !== "report" && values.out !== undefined) throw new UsageError("--out goes with report");
  return { command, names, values, parallel };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: withDurations(argv), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

/** parseArgs knows no option whose value may be left out: `--wait` alone is `--wait=5m`. */
function withDurations(argv: readonly string[]): string[] {
  return argv.map((word, index) => (word === "--wait" && !/^\d/.test(argv[index + 1] ?? "") ? "--wait=5m" : word));
}
