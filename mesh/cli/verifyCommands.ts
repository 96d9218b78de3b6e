/** What verify and precheck do. */
import { version } from "../kernel/version";
import { junit } from "../report/junit";
import { page } from "../report/page";
import { prometheus } from "../report/prometheus";
import type { Code } from "../verify/check";
import { clustersBy, lookOrWait } from "../verify/command";
import { explained } from "../verify/explain";
import { precheck } from "../verify/precheck";
import { peersNamed, refuseUnasked, selected } from "../verify/selection";
import { printSummary } from "../verify/summaryText";
import { printVerify, summary, type Verification, verifyExit } from "../verify/verification";
import type { Context, Result } from "./context";
import type { PrecheckFlags, VerifyFlags } from "./flags";

export async function runVerify(context: Context, names: readonly string[], flags: VerifyFlags): Promise<Result> {
  const codes = codesOf(flags.check, { precheck: false, probe: flags.probe });
  const { members, withPeers, stacks, interruption } = await context.open(names, "named", true);
  const peers = peersNamed(flags.peer, members);
  const { members: all, unread } = await withPeers();
  const keep = (seen: Verification): Verification => selected(seen, { peers, codes });
  const seen = await lookOrWait(
    { ...flags, keep },
    {
      chosen: members,
      all,
      unread,
      stacks,
      version,
      note: context.note,
      made: context.made,
      signal: interruption.signal,
      screen: flags.watch ? context : undefined,
    },
  );
  return result("verify", keep(seen), flags, context);
}

export async function runPrecheck(context: Context, names: readonly string[], flags: PrecheckFlags): Promise<Result> {
  const codes = codesOf(flags.check, { precheck: true, probe: false });
  const { members, interruption } = await context.open(names, "named", true);
  const clusters = clustersBy(interruption.signal, flags.requestTimeout);
  const seen = await precheck(members, clusters, version, new Date(), flags.parallel);
  return result("precheck", selected(seen, { peers: [], codes }), flags, context);
}

/** Of the checks that are asked for by `--check`. */
function codesOf(check: readonly string[], run: { precheck: boolean; probe: boolean }): Code[] {
  const codes = check.length === 0 ? [] : explained(check).map(({ code }) => code);
  refuseUnasked(codes, run);
  return codes;
}

function result(
  command: "verify" | "precheck",
  seen: Verification,
  { output, notes }: Pick<VerifyFlags, "output" | "notes">,
  { note }: Context,
): Result {
  const forms = { html: page, junit, prometheus, wide: printVerify };
  // The document goes to a file: people look at the log.
  const raw = output === "html" || output === "junit" || output === "prometheus";
  if (raw) note(summary(seen));
  const text = output in forms ? forms[output as keyof typeof forms](seen) : printSummary(seen, notes);
  return { exit: verifyExit(seen), report: { command, ...seen }, text, raw };
}
