/** What stacks have published; of a peer without a stack, what the member's config says in its place. */
import type { ConfiguredPeer } from "../../stacks/peers";
import type { Publication } from "../../stacks/contract";
import { definedOnly } from "../../stacks/fields";
import { look, type Looked } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { Published } from "../pulumi/workspace";

/** With the roots that the config pins. Undefined as long as its stack has published nothing. */
export async function publicationOf(
  peer: ConfiguredPeer,
  published: (id: string) => Promise<Published | undefined>,
): Promise<Publication | undefined> {
  if (peer.publication !== undefined) return peer.publication;
  const { fingerprints, caFingerprints } = peer;
  const federation = (await published(peer.id))?.federation;
  return federation && { ...federation, ...definedOnly({ fingerprints, caFingerprints }) };
}

/** What the members have published, by id; undefined is nothing. Values are only compared. */
export type Publications = Readonly<Record<string, string | undefined>>;

/** What a stack has published, to be compared. */
export const comparable = (contract: object | undefined): string | undefined =>
  contract === undefined ? undefined : JSON.stringify(contract);

export type Readings = Map<string, Looked<Published | undefined>>;

/** What each of these stacks has published, or why it cannot be read. */
export async function readPublished(
  ids: readonly string[],
  published: (id: string) => Promise<Published | undefined>,
  parallel: number,
): Promise<Readings> {
  const read = async (id: string): Promise<[string, Looked<Published | undefined>]> => [
    id,
    await look(() => published(id)),
  ];
  return new Map(await inParallel(parallel, [...new Set(ids)], read));
}

/** @throws Error when no stack can be read, and all for the same reason: it is the backend then, and one error says so */
export function refuseUnreadable(readings: Readings): void {
  const [reason, ...others] = new Set(
    [...readings.values()].map((read) => ("because" in read ? read.because : undefined)),
  );
  if (reason !== undefined && others.length === 0) throw new Error(`no stack can be read: ${reason}`);
}
