/** What is known of a peer: what its stack has published, or what the member's config says in its place. */
import type { ConfiguredPeer } from "../../stacks/peers";
import type { Publication } from "../../stacks/contract";
import type { Published } from "../pulumi/workspace";

/** Undefined as long as its stack has published nothing. */
export async function publicationOf(
  peer: ConfiguredPeer,
  published: (id: string) => Promise<Published | undefined>,
): Promise<Publication | undefined> {
  return peer.publication ?? (await published(peer.id))?.federation;
}
