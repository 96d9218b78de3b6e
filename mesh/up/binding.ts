/** What was approved is what runs: a member fails rather than do something else. */
import { type MeshMember, peerLabel } from "../members/members";
import { publicationOf } from "../members/publication";
import { trustChanges } from "../preview/trustChanges";
import type { Approved, ApprovedPeer } from "../../stacks/approved";
import { objectNameOf, resourceNameOf } from "../../stacks/peers";
import { describeStep, isLoss, type Step } from "../pulumi/events";
import type { UpOutcome } from "../pulumi/outcomes";
import { describeKeys, fingerprintsOf, firstPeer, type ShownKeys } from "../spire/firstRoots";
import type { PlannedMember, PlanSources } from "../preview/preview";
import type { FutureStacks } from "./up";

/**
 * Stacks that are previewed once more before each run. Bound are
 * - the stack's config, as its file and the project's have it,
 * - the peers that it begins to trust, their trust domains and URLs, and the keys that were shown: a run that cannot
 *   compare them does not begin, and gets them as pins, because it fetches the bundles itself,
 * - the resources that it deletes or replaces.
 *
 * Not bound is what it creates or updates besides. Nor is the trust in a peer that is a member of the same plan and that
 * was trusted before, or that the plan waits for: a run of that peer, which was approved, may have changed its endpoint, and
 * then it is fetched again, or have published it. Where nothing was to change, nobody was asked, and no such run was approved.
 */
export function bound(
  stacks: FutureStacks & PlanSources,
  members: readonly MeshMember[],
  plan: readonly PlannedMember[],
): FutureStacks {
  const approvedRuns = plan.some(({ changes }) => changes) ? members : [];
  return {
    ...stacks,
    up: async (id): Promise<UpOutcome> => {
      const member = members.find((one) => one.id === id);
      const approved = plan.find((one) => one.member === member?.name);
      if (member === undefined || approved === undefined) return stacks.up(id);
      const refused = (...errors: string[]): UpOutcome => ({ succeeded: false, errors, recovered: [] });
      const trust = await approvedTrust(member, approved, approvedRuns, stacks);
      if (typeof trust === "string") return refused(changed(trust));
      const now = await stacks.preview(id);
      if (!now.succeeded) return refused(...now.errors);
      const losses = otherLosses(now.steps, approved.steps, refreshable(member, approvedRuns));
      return losses.length > 0 ? refused(changed(`it would also ${losses.join(", ")}`)) : stacks.up(id, trust);
    },
  };
}

/**
 * Stacks that are previewed before each run, and do not run when that fails. Policies that compare resources are judged at
 * the end, which in a run is too late.
 */
export const previewed = (stacks: FutureStacks & PlanSources): FutureStacks => ({
  ...stacks,
  up: async (id): Promise<UpOutcome> => {
    const now = await stacks.preview(id);
    return now.succeeded ? stacks.up(id) : { succeeded: false, errors: now.errors, recovered: [] };
  },
});

const changed = (how: string): string =>
  `the plan changed since it was approved: ${how}. Nothing of this member was changed; run up again to see the new plan`;

/**
 * With what a run may begin trust: it fetches the bundles itself, later than this looks. Or how its trust or config would
 * differ from the approved plan.
 */
async function approvedTrust(
  member: MeshMember,
  approved: PlannedMember,
  approvedRuns: readonly MeshMember[],
  stacks: PlanSources,
): Promise<Approved | string> {
  const { id, config } = member;
  if ((await stacks.config(member)) !== approved.config) return `Pulumi.${config.self.stack}.yaml was edited`;
  const publications = new Map(
    await Promise.all(
      config.peers.map(
        async (peer) => [peer.name, await publicationOf(peer, (stack) => stacks.published(stack))] as const,
      ),
    ),
  );
  const { gains } = trustChanges(config, publications, await stacks.published(id));
  const begins = new Set(gains.map((gain) => gain.peer));
  // One that moves is trusted already, which is known of the cluster alone.
  const moves = config.peers.filter(({ name }) =>
    approved.trust.gains.some((gain) => gain.from !== undefined && gain.peer === peerLabel(member, name)),
  );
  const keys: [trustDomain: string, ApprovedPeer][] = [];
  for (const name of new Set([...begins, ...moves.map((peer) => peer.name)])) {
    const contract = publications.get(name);
    if (contract === undefined) continue;
    const { trustDomain, bundleEndpointUrl } = contract;
    const peer = peerLabel(member, name);
    const configured = config.peers.find((one) => one.name === name);
    const before = approved.trust.gains.find((gain) => gain.peer === peer);
    if (before === undefined) {
      const joins = approvedRuns.some((one) => one.id === configured?.id);
      if (joins && approved.trust.waitsFor.includes(peer)) continue;
      return `it would also trust ${trustDomain} (${peer})`;
    }
    if (before.trustDomain !== trustDomain) return `${peer} is ${trustDomain} now, and was ${before.trustDomain}`;
    if (before.bundleEndpointUrl !== bundleEndpointUrl)
      return `${trustDomain} (${peer}) is at ${bundleEndpointUrl} now, and was at ${before.bundleEndpointUrl}`;
    const now = configured && (await stacks.roots(firstPeer(config, configured, contract)));
    if (now === undefined || !("roots" in before)) continue;
    if (!("roots" in now))
      return `the keys of ${trustDomain} (${peer}), which were shown, cannot be compared: ${now.rootsUnknown}`;
    if (sorted(before) !== sorted(now)) return `the keys of ${trustDomain} (${peer}) are ${describeKeys(now)} now`;
    keys.push([trustDomain, { bundleEndpointUrl, keys: fingerprintsOf(before) }]);
  }
  return Object.fromEntries(keys);
}

const sorted = ({ roots, jwtKeys = [] }: ShownKeys): string =>
  JSON.stringify([[...roots].sort(), jwtKeys.map(({ id, fingerprint }) => `${fingerprint} ${id}`).sort()]);

/** Names of the resources that are replaced when a peer's endpoint changes, for the peers that run in the same plan. */
const refreshable = ({ config }: MeshMember, members: readonly MeshMember[]): string[] =>
  config.peers
    .filter((peer) => members.some(({ id }) => id === peer.id))
    .map((peer) => `${resourceNameOf(objectNameOf(peer))}-trust`);

/** Deletions and replacements that were not approved. */
function otherLosses(now: readonly Step[], approved: readonly Step[], refreshable: readonly string[]): string[] {
  const before = new Set(approved.flatMap((step) => lossOf(step) ?? []));
  const losses = now.flatMap((step) => {
    const loss = lossOf(step);
    return loss === undefined || (loss.startsWith("replace") && refreshable.includes(step.name)) ? [] : [loss];
  });
  return [...new Set(losses)].filter((loss) => !before.has(loss));
}

const lossOf = (step: Step): string | undefined => (isLoss(step) ? describeStep(step) : undefined);
