/** What is known of a peer: what its stack has published, or what the member's config says in its place. */
import type { ConfiguredPeer } from "../../stacks/peers";
import type { Publication } from "../../stacks/contract";
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
