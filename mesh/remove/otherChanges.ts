/**
 * What the up of a removal would change besides: changes that are pending in a stack, and that nobody has asked for by
 * asking for the removal.
 */
import { APPLIED } from "../../components/cluster/correction";
import { look } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import { describeStep, type DetailedStep, isOfSpireServer } from "../pulumi/events";
import type { PreviewOutcome } from "../pulumi/outcomes";
import { type Sight, workOf } from "./plan";

/** Previews a stack as it will be: with that text in place of its file. */
type PreviewAsEdited = (id: string, file: string | undefined) => Promise<PreviewOutcome>;

/** Adds to each stack that is to run what its up would change besides, or why that is not known. */
export const withOthers = (
  sights: readonly Sight[],
  edited: ReadonlyMap<string, { text: string }>,
  preview: PreviewAsEdited,
  parallel: number,
): Promise<Sight[]> =>
  inParallel(parallel, sights, async (sight) => {
    if (!workOf(sight).up) return sight;
    const { id } = sight.member;
    const outcome = await look(() => preview(id, edited.get(id)?.text));
    if ("because" in outcome) return { ...sight, others: { unknown: outcome.because } };
    if (!outcome.seen.succeeded) return { ...sight, others: { unknown: outcome.seen.errors.join("; ") } };
    const { steps } = outcome.seen;
    const overwrites = steps.some(isOfSpireServer) ? sight.overwrites : [];
    if ("unknown" in overwrites) {
      const unknown = `whom else its SpireServer lists is not known, and ${TAKES_OVER}: ${overwrites.unknown}`;
      return { ...sight, others: { unknown } };
    }
    return {
      ...sight,
      others: [
        ...overwrites.map(
          (trustDomain) => `end trust in ${trustDomain}, which somebody else lists in its SpireServer (${TAKES_OVER})`,
        ),
        ...steps.filter((step) => !isNeeded(step, sight.resources)).map((step) => describeStep(step)),
      ],
    };
  });

const TAKES_OVER = "spireServer.takeOver overwrites that";

/**
 * Whether the removal needs this change. Pure.
 *
 * @param peers names of the resources of those peers that are trusted no more
 */
export function isNeeded(step: DetailedStep, peers: readonly string[]): boolean {
  const { op, name, paths = [] } = step;
  // Another stack is read, or no longer read: that changes the state alone.
  if (op.startsWith("read") || op.startsWith("discard")) return true;
  // FederatedTrustDomain and its children.
  if (op === "delete" && peers.some((peer) => [peer, `${peer}-trust`].includes(name))) return true;
  // The certificates of the peers' CAs are one object; a CA that joins comes with a peer that joins.
  if (op !== "create" && /^peer-cas(-|$)/.test(name)) return true;
  // It lists whom a destroy would stop trusting.
  if (op !== "create" && name === "spire-server-removal") return true;
  const isServer = isOfSpireServer(step) && op === "update";
  return isServer && paths.length > 0 && paths.every((path) => path.startsWith(PEERS) || path.includes(APPLIED));
}

/** With it changes the annotation that has the whole object applied, since its list is not what is in the cluster. */
const PEERS = "spec.federation.federatesWith";
