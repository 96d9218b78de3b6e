/** `mesh preview`: what an up of each member would do, in terms of trust first. */
import type { MeshMember } from "./members";
import type { Published } from "./backend";
import { inParallel } from "./parallel";
import { restartsSpire, type Step } from "./narrator";
import { type TrustChanges, trustChanges } from "./trust";

/** One `pulumi preview`; whatever goes wrong is an outcome. */
export type PreviewOutcome = { succeeded: true; steps: Step[] } | { succeeded: false; errors: string[] };

export interface Previews {
  published(name: string): Promise<Published | undefined>;
  preview(name: string): Promise<PreviewOutcome>;
}

export interface PreviewMember {
  member: string;
  trustDomain: string;
  trust: TrustChanges;
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
  await inParallel(parallel, members, async ({ name, config }) => {
    const outcome = await stacks.preview(name);
    const publications = await Promise.all(
      config.peers.map(async (peer) => [peer.name, (await stacks.published(peer.reference))?.federation] as const),
    );
    const steps = outcome.succeeded ? outcome.steps : [];
    results.set(name, {
      member: name,
      trustDomain: config.trustDomain,
      trust: trustChanges(
        config.peers.map((peer) => peer.name),
        new Map(publications),
        await stacks.published(name),
      ),
      restarts: steps.some(restartsSpire),
      steps,
      errors: outcome.succeeded ? [] : outcome.errors,
    });
  });
  return members.flatMap(({ name }) => results.get(name) ?? []);
}

export const changes = ({ steps }: PreviewMember): boolean => steps.length > 0;

export function printPreview(members: readonly PreviewMember[]): string {
  return members.map(section).join("\n");
}

function section({ member, trustDomain, trust, restarts, steps, errors }: PreviewMember): string {
  const lines = [
    ...trust.gains.map((gain) => `will trust ${gain.trustDomain} (${gain.peer}), ${gain.bundleEndpointUrl}`),
    ...trust.loses.map((loss) => `will stop trusting ${loss.trustDomain} (${loss.peer}): ${loss.because}`),
    ...trust.waitsFor.map((peer) => `waits for ${peer}, whose stack has published nothing yet`),
    ...(restarts ? ["its SPIRE server will restart"] : []),
    ...steps.map(({ op, type, name }) => `${op.padEnd(7)} ${type.split(":").at(-1) ?? type} ${name}`),
    ...errors,
  ];
  const said = lines.length === 0 ? ["nothing changes"] : lines;
  return `${member} (${trustDomain})\n${said.map((line) => `  ${line.replaceAll("\n", "\n  ")}\n`).join("")}`;
}
