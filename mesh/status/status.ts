/** `spire-federation status`: what the members' stacks have published; quick, since no cluster is asked. */
import type { Published } from "../pulumi/workspace";
import type { MeshMember } from "../members/members";
import { table } from "../kernel/table";
import { KEPT, trustChanges } from "../preview/trustChanges";
import type { Stacks } from "../up/up";

export interface StatusMember {
  member: string;
  trustDomain: string;
  /** Undefined until its endpoint has answered once. */
  bundleEndpointUrl?: string;
  /** Peers that its cluster trusts, by stack, with the SHA-256 of the roots with which that trust began. */
  trusts: Record<string, { trustDomain: string; fingerprints: string[] }>;
  /** Peers of these whose stacks publish nothing any more. */
  kept: string[];
  /** Peers in its config that it does not trust yet. */
  pending: string[];
  /** Stacks that it trusts although its config no longer names them. */
  leaving: string[];
}

export async function status(
  members: readonly MeshMember[],
  stacks: Pick<Stacks, "published">,
): Promise<StatusMember[]> {
  // Everybody is a peer of many.
  const readings = new Map<string, Promise<Published | undefined>>();
  const read = (stack: string): Promise<Published | undefined> => {
    const reading = readings.get(stack) ?? stacks.published(stack);
    readings.set(stack, reading);
    return reading;
  };
  return Promise.all(
    members.map(async ({ name, config, outside }) => {
      const published = await read(name);
      const publications = await Promise.all(
        config.peers.map(async (peer) => {
          const { reference } = peer;
          const stack = outside.includes(reference) ? reference : (reference.split("/").at(-1) ?? reference);
          return [peer.name, (await read(stack))?.federation] as const;
        }),
      );
      const wanted = config.peers.map((peer) => peer.name);
      const { keeps, loses } = trustChanges(wanted, new Map(publications), published);
      const trusts = published?.peers ?? {};
      const url = published?.federation?.bundleEndpointUrl;
      return {
        member: name,
        trustDomain: config.trustDomain,
        ...(url === undefined ? {} : { bundleEndpointUrl: url }),
        trusts,
        kept: keeps.map(({ peer }) => peer),
        pending: wanted.filter((peer) => trusts[peer] === undefined),
        leaving: loses.map(({ peer }) => peer),
      };
    }),
  );
}

export function printStatus(members: readonly StatusMember[]): string {
  const kept = members.flatMap(({ member, kept: peers }) =>
    peers.map((peer) => `\n${member}: keeps trusting ${peer}: ${KEPT}\n`),
  );
  const rows = table(
    ["MEMBER", "TRUST DOMAIN", "ENDPOINT", "TRUSTS", "PENDING"],
    members.map(({ member, trustDomain, bundleEndpointUrl, trusts, pending }) => [
      member,
      trustDomain,
      bundleEndpointUrl ?? "none yet",
      Object.keys(trusts).join(", ") || "nobody",
      pending.join(", "),
    ]),
  );
  return rows + kept.join("");
}
