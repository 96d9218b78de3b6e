/** Commands that judge the mesh from outside: verify and report. */
import { version } from "../kernel/version";
import { readOut, savePage, STDOUT } from "../report/out";
import { page } from "../report/page";
import { lookOrWait, type VerifyOptions } from "../verify/command";
import { explained } from "../verify/explain";
import { peersNamed, refuseUnasked, selected, type Selection } from "../verify/selection";
import { printSummary } from "../verify/summaryText";
import { printVerify, summary, type Verification, verifyExit } from "../verify/verification";
import type { Context } from "./context";
import { define, duration, durationIfGiven, onOff, oneOf, output, parallel, text, texts } from "./declare";

const how = {
  wait: onOff("--wait", "Repeat until every check passes or --timeout expires"),
  timeout: duration("--timeout <duration>", "How long --wait repeats", "5m").implies({ wait: true }),
  interval: durationIfGiven("--interval <duration>", "Pause between two looks: 10s with --wait, 30s with --watch"),
  parallel: parallel(),
  precheck: onOff("--precheck", "Check only what must hold before the first up").conflicts(["wait", "probe"]),
  probe: onOff("--probe", "Also create a workload in each cluster and connect all pairs over mTLS"),
  probeImage: text("--probe-image <image>", "Image for --probe, with Node 20 or later").implies({
    probe: true,
  }),
};

const EXITS = "0 all passed; 1 a check failed or is pending; 2 wrong usage or config; 3 something could not be checked";

export const verifyCommand = define({
  name: "verify",
  group: "Verify",
  args: "[stack...]",
  summary: "Check from outside that every member and every pair works",
  about:
    "Check every member, and every ordered pair of members, from outside: the Kubernetes objects, the bundle\n" +
    "endpoint over TLS, the SPIRE server and its log. Changes nothing, except with --probe.\n" +
    "Shows a row per member, and the details of what is not well. --peer leaves out the pairs with other peers,\n" +
    "--code all other checks, also for the exit code; when no check is left that applies, it is 3.\n\n" +
    "A check that the config itself rules out from here is skipped and does not change the exit code: of a stack\n" +
    "with probe: cluster, whether its endpoint answers. What cannot be read for any other reason is unknown.",
  flags: {
    ...how,
    watch: onOff("--watch", "Redraw until Ctrl-C; needs a terminal").conflicts([
      "output",
      "json",
      "wait",
      "precheck",
      "probe",
    ]),
    peer: texts("--peer <stack>", "Show only pairs with this peer; repeat it or separate with commas"),
    code: texts("--code <code>", "Show only this check; repeat it or separate with commas"),
    output: oneOf("-o, --output <format>", "wide: a line for every check; json: for programs", ["wide", "json"]),
    json: output.json,
  },
  examples: {
    verify: "Check all members once",
    "verify --timeout 10m -o json > verify.json": "In CI, after an up: wait until the mesh is healthy",
    "verify cluster1 cluster2 --probe": "Prove a connection between workloads of two clusters",
    "verify --peer cluster2 --code MESH211,MESH212 -o wide": "Ask only whether all hold the keys of cluster2",
  },
  exits: EXITS,
  seeAlso: "explain, report, docs/checks.md",
  async run(context, names, flags) {
    const codes = flags.code.length === 0 ? [] : explained(flags.code).map(({ code }) => code);
    refuseUnasked(codes, flags);
    const result = await look(context, names, flags, { peers: flags.peer, codes });
    const text = flags.output === "wide" ? printVerify(result) : printSummary(result);
    return { exit: verifyExit(result), report: { command: "verify", ...result }, text: flags.watch ? "" : text };
  },
});

export const reportCommand = define({
  name: "report",
  group: "Verify",
  args: "[stack...]",
  summary: "Write what verify sees as one page for a browser",
  about:
    "Write what verify sees as one page for a browser: what is wrong and what to do, who trusts whom, and what\n" +
    "expires when. Changes nothing, except with --probe.",
  flags: {
    out: text("--out <file>", "Regular file for the page, or - for stdout").makeOptionMandatory(),
    ...how,
    ...output,
  },
  examples: {
    "report --out report.html": "Check all members once and write the page",
    "report --out report.html --wait": "Wait until the mesh is healthy, for 5 minutes at most",
  },
  exits: EXITS,
  seeAlso: "verify",
  async run(context, names, flags) {
    const out = await readOut(flags);
    const result = await look(context, names, { ...flags, watch: false });
    const toStdout = out === STDOUT;
    if (!toStdout) await savePage(out, result);
    context.note(toStdout ? summary(result) : `${summary(result)}; the page is ${out}`);
    const text = toStdout ? page(result) : "";
    return { exit: verifyExit(result), report: { command: "report", page: out, ...result }, text };
  },
});

async function look(
  context: Context,
  names: readonly string[],
  options: VerifyOptions,
  { peers: asked, codes }: Selection = { peers: [], codes: [] },
): Promise<Verification> {
  const { members, withPeers, stacks, interruption } = await context.open(names, "named", true);
  const peers = peersNamed(asked, members);
  const { members: all, unread } = await withPeers();
  const keep = (seen: Verification): Verification => selected(seen, { peers, codes });
  const seen = await lookOrWait(
    { ...options, keep },
    {
      chosen: members,
      all,
      unread,
      stacks,
      version,
      note: context.note,
      signal: interruption.signal,
      screen: options.watch ? context : undefined,
    },
  );
  return keep(seen);
}
