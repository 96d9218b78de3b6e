/** `mesh preview`: what an up of each member would do, in terms of trust first. */
import type { Contract } from "../stacks/contract";
import type { MeshMember } from "./members";
import type { Published } from "./backend";
import { inParallel } from "./parallel";
import type { Roots } from "./roots";
import { restartsSpire, type Step } from "./narrator";
import { type TrustChanges, trustChanges } from "./trust";

/** One `pulumi preview`; whatever goes wrong is an outcome. */
export type PreviewOutcome = { succeeded: true; steps: Step[] } | { succeeded: false; errors: string[] };

export interface Previews {
  published(name: string): Promise<Published | undefined>;
  preview(name: string): Promise<PreviewOutcome>;
  /** With which roots trust in a peer would begin now. */
  roots(peer: Contract): Promise<Roots>;
}

/** A peer that a member will begin to trust, and with which roots. */
export type TrustGain = TrustChanges["gains"][number] & Roots;

export interface PreviewMember {
  member: string;
  trustDomain: string;
  trust: Omit<TrustChanges, "gains"> & { gains: TrustGain[] };
  /** Its SPIRE server's configuration changes, and with that the server restarts. */
  restarts: boolean;
  steps: Step[];
  /** Why nothing can be said. */
  errors: string[];
}

export async function preview(
  members: readonly MeshMember[],
  stacks: Previews,
  parallel: number,
): Promise<PreviewMember[]> {
  const results = new Map<string, PreviewMember>();
  // Everybody is a peer of many, and nothing is published meanwhile.
  const readings = new Map<string, ReturnType<Previews["published"]>>();
  const published: Previews["published"] = (stack) => {
    const reading = readings.get(stack) ?? stacks.published(stack);
    readings.set(stack, reading);
    return reading;
  };
  await inParallel(parallel, members, async ({ name, config }) => {
    const outcome = await stacks.preview(name);
    const publications = new Map(
      await Promise.all(
        config.peers.map(async (peer) => [peer.name, (await published(peer.reference))?.federation] as const),
      ),
    );
    const trust = trustChanges(
      config.peers.map((peer) => peer.name),
      publications,
      await published(name),
    );
    const gains = trust.gains.map(async (gain) => {
      const contract = publications.get(gain.peer);
      return {
        ...gain,
        ...(contract === undefined ? { rootsUnknown: "its stack publishes nothing" } : await stacks.roots(contract)),
      };
    });
    const steps = outcome.succeeded ? outcome.steps : [];
    results.set(name, {
      member: name,
      trustDomain: config.trustDomain,
      trust: { ...trust, gains: await Promise.all(gains) },
      restarts: steps.some(restartsSpire),
      steps,
      errors: outcome.succeeded ? [] : outcome.errors.map(withCure),
    });
  });
  return members.flatMap(({ name }) => results.get(name) ?? []);
}

/** A reference to a stack that doesn't exist fails in Pulumi itself, whose word for it names no cure. */
const withCure = (error: string): string =>
  error.includes("unknown stack") ? `${error}; mesh up makes the stacks of all members` : error;

export const changes = ({ steps }: PreviewMember): boolean => steps.length > 0;

export function printPreview(members: readonly PreviewMember[]): string {
  const domains = new Map(members.map(({ member, trustDomain }) => [member, trustDomain]));
  return members.map((member) => section(member, domains)).join("\n");
}

function section(
  { member, trustDomain, trust, restarts, steps, errors }: PreviewMember,
  domains: ReadonlyMap<string, string>,
): string {
  const changing = [
    ...trust.gains.map(
      (gain) => `will trust ${gain.trustDomain} (${gain.peer}), ${gain.bundleEndpointUrl}, ${rootsIn(gain)}`,
    ),
    ...trust.loses.map((loss) => `will stop trusting ${loss.trustDomain} (${loss.peer}): ${loss.because}`),
    ...trust.waitsFor.map((peer) => {
      const domain = domains.get(peer);
      return domain === undefined
        ? `waits for ${peer}, whose stack has published nothing yet`
        : `will trust ${domain} (${peer}) once its endpoint answers; its roots are known only then`;
    }),
    ...(restarts ? ["its SPIRE server will restart"] : []),
    ...steps.map(({ op, type, name }) => `${op.padEnd(7)} ${type.split(":").at(-1) ?? type} ${name}`),
  ];
  // What is refused changes nothing.
  const lines = errors.length > 0 ? errors : changing.length > 0 ? changing : ["nothing changes"];
  return `${member} (${trustDomain})\n${lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}\n`).join("")}`;
}

function rootsIn(gain: TrustGain): string {
  return "roots" in gain
    ? `root sha256 ${gain.roots.join(", ")}`
    : `root known only after the up: ${gain.rootsUnknown}`;
}
