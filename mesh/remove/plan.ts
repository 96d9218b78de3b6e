/** Who has to stop trusting whom so that a member is out of the mesh, and what that takes. Pure. */
import { PROGRAM } from "../../components/names";
import type { Published } from "../pulumi/workspace";
import { UsageError } from "../kernel/exit";
import type { MeshMember } from "../members/members";
import type { Traces } from "./traces";

/** The member that is taken out. */
export interface Leaver {
  name: string;
  trustDomain: string;
  /** Undefined when its Pulumi.<stack>.yaml is gone. */
  member?: MeshMember;
}

/** What is known of one member before anything is changed. */
export interface Sight {
  member: MeshMember;
  /** Trust domains that it is to trust no more. */
  ends: string[];
  /** Peers that go from its Pulumi.<stack>.yaml. */
  named: string[];
  /** Its stack says that it trusts one of the trust domains, or waits for one of those peers. */
  published: boolean;
  /** Why its stack cannot be read; then it is not run, since a stack that was destroyed would be built again. */
  unread?: string;
  /** What its cluster has of the trust domains, or why it cannot be asked. */
  traces: Traces | { unseen: string };
}

/** What has to be done at a member; to look at its SPIRE server afterwards is always part of it. */
export interface Work {
  edit: boolean;
  up: boolean;
  /** The SPIRE server holds a bundle that is to be deleted; undefined when that is not known. */
  forget: boolean | undefined;
}

/**
 * Finds the stack that is to go among the members, or, with its file gone, among those whom the others trust.
 *
 * @throws UsageError when nobody knows it, when its trust domain is not clear, or is another member's as well
 */
export function findLeaver(
  name: string,
  members: readonly MeshMember[],
  published: ReadonlyMap<string, Published | undefined>,
): Leaver {
  const member = members.find((one) => one.name === name);
  const trusted = members.flatMap((one) => published.get(one.name)?.peers[name]?.trustDomain ?? []);
  const domains = [...new Set([...(member === undefined ? [] : [member.config.trustDomain]), ...trusted])];
  const [trustDomain] = domains;
  if (trustDomain === undefined) {
    throw new UsageError(
      `${name}: there is no Pulumi.${name}.yaml and no member trusts it, so its trust domain is not known; ` +
        `members are ${members.map((one) => one.name).join(", ")}`,
    );
  }
  if (domains.length > 1) {
    throw new UsageError(
      `${name}: its trust domain is not clear, ${domains.join(" or ")}; run npx ${PROGRAM} up, so that all know the one in Pulumi.${name}.yaml`,
    );
  }
  const twins = members.filter((one) => one !== member && one.config.trustDomain === trustDomain);
  if (twins.length > 0) {
    throw new UsageError(
      `${name}: its trust domain ${trustDomain} is that of ${twins.map((one) => one.name).join(", ")} as well; ` +
        "to end trust in the one would end it in the other",
    );
  }
  return { name, trustDomain, ...(member === undefined ? {} : { member }) };
}

/** What every member is to stop trusting: the leaver, and the leaver all others. */
export function sights(
  leaver: Leaver,
  project: string,
  members: readonly MeshMember[],
  published: ReadonlyMap<string, Published | undefined>,
  traces: ReadonlyMap<string, Traces | { unseen: string }>,
): Sight[] {
  return members.map((member) => {
    const own = published.get(member.name);
    const leaves = member === leaver.member;
    const trusts = Object.values(own?.peers ?? {}).map(({ trustDomain }) => trustDomain);
    const others = members.filter((one) => one !== member).map(({ config }) => config.trustDomain);
    const ends = leaves ? [...new Set([...others, ...trusts])] : [leaver.trustDomain];
    const named = member.config.peers.filter((peer) => leaves || isLeaver(peer, leaver.name, project));
    const awaited = own?.pendingPeers.some((peer) => leaves || peer === leaver.name) ?? false;
    return {
      member,
      ends,
      named: named.map(({ name }) => name),
      published: awaited || trusts.some((trustDomain) => ends.includes(trustDomain)),
      traces: traces.get(member.name) ?? { unseen: "it was not asked" },
    };
  });
}

function isLeaver(peer: { name: string; reference: string }, name: string, project: string): boolean {
  const [, ofProject, stack] = peer.reference.split("/");
  return peer.name === name || (ofProject === project && stack === name);
}

/**
 * A stack runs only if that can end something: a leaver that was destroyed, or a peer that never ran, is not built for it.
 * Of a cluster that cannot be seen the worst is taken.
 */
export function workOf({ named, published, traces, unread }: Sight): Work {
  const edit = named.length > 0;
  if (unread !== undefined) {
    return { edit, up: false, forget: "unseen" in traces ? undefined : traces.bundles.length > 0 };
  }
  if ("unseen" in traces) return { edit, up: edit || published, forget: undefined };
  return { edit, up: published || traces.asked.length > 0, forget: traces.bundles.length > 0 };
}

/** The plan as somebody who is asked for a yes has to know it. */
export function printPlan(leaver: Leaver, all: readonly Sight[], destroy: boolean): string {
  const lines = all.flatMap((sight) => {
    const { member, ends, traces } = sight;
    return [
      `  ${member.name} ends trust in ${ends.join(", ") || "nobody"}: ${stepsOf(sight).join(", ") || "nothing left of it"}`,
      ...(sight.unread === undefined ? [] : [`    its stack cannot be read and is not run: ${sight.unread}`]),
      ...("unseen" in traces
        ? [`    cannot be asked now: ${traces.unseen}`]
        : workloadWarnings(traces).map((warning) => `    ${warning}`)),
    ];
  });
  const outside = leaver.member?.outside ?? [];
  return [
    `${leaver.name} (${leaver.trustDomain}) leaves the mesh:`,
    ...lines,
    ...(outside.length === 0
      ? []
      : [`  ${outside.join(", ")}: of other projects; end their trust in ${leaver.name} there`]),
    ...(destroy ? [`  stack ${leaver.name} is destroyed then`] : []),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function stepsOf(sight: Sight): string[] {
  const { edit, up, forget } = workOf(sight);
  return [
    ...(edit ? [`${sight.named.join(", ")} out of Pulumi.${sight.member.name}.yaml`] : []),
    ...(up ? [restarts(sight) ? "pulumi up, which restarts its SPIRE server" : "pulumi up"] : []),
    ...(forget === true ? ["bundle deleted from its SPIRE server"] : []),
  ];
}

/** Static peers are in server.conf. */
const restarts = ({ member, published }: Sight): boolean => published && member.config.federatesWith === "static";

/** What is said of workloads' objects that are in the way. */
export function workloadWarnings({ users, unlisted }: Traces): string[] {
  return [
    ...users.map(
      ({ object, trustDomain }) =>
        `${object} names ${trustDomain} in federatesWith: SPIRE makes and changes none of its entries without that bundle; take it out there`,
    ),
    ...unlisted.map(
      (kind) => `whether a ${kind} still names it in federatesWith is not known: to list them is forbidden here`,
    ),
  ];
}
