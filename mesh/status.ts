/** `mesh status`: what the members' stacks have published; quick, since no cluster is asked. */
import type { MeshMember } from "./members";
import { table } from "./table";
import type { Stacks } from "./up";

export interface StatusMember {
  member: string;
  trustDomain: string;
  /** Undefined until its endpoint has answered once. */
  bundleEndpointUrl?: string;
  /** Peers that its cluster trusts, by stack, with the SHA-256 of the roots with which that trust began. */
  trusts: Record<string, { trustDomain: string; fingerprints: string[] }>;
  /** Peers that it is configured for and doesn't trust yet. */
  pending: string[];
  /** Stacks that it trusts though its config no longer names them. */
  leaving: string[];
}

export async function status(
  members: readonly MeshMember[],
  stacks: Pick<Stacks, "published">,
): Promise<StatusMember[]> {
  return Promise.all(
    members.map(async ({ name, config }) => {
      const published = await stacks.published(name);
      const trusts = published?.peers ?? {};
      const wanted = config.peers.map((peer) => peer.name);
      const url = published?.federation?.bundleEndpointUrl;
      return {
        member: name,
        trustDomain: config.trustDomain,
        ...(url === undefined ? {} : { bundleEndpointUrl: url }),
        trusts,
        pending: wanted.filter((peer) => trusts[peer] === undefined),
        leaving: Object.keys(trusts).filter((peer) => !wanted.includes(peer)),
      };
    }),
  );
}

export function printStatus(members: readonly StatusMember[]): string {
  return table(
    ["MEMBER", "TRUST DOMAIN", "ENDPOINT", "TRUSTS", "PENDING"],
    members.map(({ member, trustDomain, bundleEndpointUrl, trusts, pending }) => [
      member,
      trustDomain,
      bundleEndpointUrl ?? "none yet",
      Object.keys(trusts).join(", ") || "nobody",
      pending.join(", "),
    ]),
  );
}
