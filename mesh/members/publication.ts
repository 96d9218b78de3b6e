/** What stacks have published; of a peer without a stack, what the member's config says in its place. */
import type { ConfiguredPeer } from "../../stacks/peers";
import type { Publication } from "../../stacks/contract";
import { look, type Looked } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { Published } from "../pulumi/workspace";

/** With the roots that the config pins. Undefined as long as its stack has published nothing. */
export async function publicationOf(
  peer: ConfiguredPeer,
  published: (id: string) => Promise<Published | undefined>,
): Promise<Publication | undefined> {
  if (peer.publication !== undefined) return peer.publication;
  const { fingerprints } = peer;
  const federation = (await published(peer.id))?.federation;
  return federation && { ...federation, ...(fingerprints && { fingerprints }) };
}

/**
 * What each of these stacks has published, or why it cannot be read.
 *
 * @throws Error when no stack can be read, and all for the same reason: it is the backend then, and one error says so
 */
export async function readPublished(
  ids: readonly string[],
  published: (id: string) => Promise<Published | undefined>,
  parallel: number,
): Promise<Map<string, Looked<Published | undefined>>> {
  const readings = await inParallel(
    parallel,
    [...new Set(ids)],
    async (id) => [id, await look(() => published(id))] as const,
  );
  const reasons = new Set(readings.map(([, read]) => ("because" in read ? read.because : undefined)));
  const [reason] = reasons;
  if (reasons.size === 1 && reason !== undefined) throw new Error(`no stack can be read: ${reason}`);
  return new Map(readings);
}
