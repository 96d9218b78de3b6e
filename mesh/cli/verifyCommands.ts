/** What verify and precheck do. */
import { version } from "../kernel/version";
import { junit } from "../report/junit";
import { page } from "../report/page";
import { prometheus } from "../report/prometheus";
import { lookOrWait, type VerifyOptions } from "../verify/command";
import { explained } from "../verify/explain";
import { peersNamed, refuseUnasked, selected } from "../verify/selection";
import { printSummary } from "../verify/summaryText";
import { printVerify, summary, type Verification, verifyExit } from "../verify/verification";
import type { Context, Result } from "./context";
import type { PrecheckFlags, VerifyFlags } from "./flags";

export const runVerify = async (context: Context, names: readonly string[], flags: VerifyFlags): Promise<Result> =>
  result("verify", await look(context, names, { ...flags, precheck: false }), flags, context);

export async function runPrecheck(context: Context, names: readonly string[], flags: PrecheckFlags): Promise<Result> {
  const options = {
    precheck: true,
    watch: false,
    wait: false,
    timeout: 0,
    interval: undefined,
    probe: false,
    probeImage: undefined,
  };
  return result("precheck", await look(context, names, { ...flags, ...options, peer: [] }), flags, context);
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

async function look(
  context: Context,
  names: readonly string[],
  { peer, check, ...options }: VerifyOptions & { peer: readonly string[]; check: readonly string[] },
): Promise<Verification> {
  const codes = check.length === 0 ? [] : explained(check).map(({ code }) => code);
  refuseUnasked(codes, options);
  const { members, withPeers, stacks, interruption } = await context.open(names, "named", true);
  const peers = peersNamed(peer, members);
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
      made: context.made,
      signal: interruption.signal,
      screen: options.watch ? context : undefined,
    },
  );
  return keep(seen);
}
