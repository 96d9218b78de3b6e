/** What a cluster holds of other trust domains: read from the cluster, not from any stack. */
import type { ClusterAccess } from "../../components/cluster/access";
import type { ClusterReader } from "../../components/cluster/cluster";
import { connect } from "../../components/cluster/connect";
import { type AskedTrust, readAsked } from "../spire/askedTrust";
import { readFederating } from "../spire/federating";
import { type SpireServer, spireServer } from "../spire/spireServer";

export interface Traces {
  /** Trust domains of the bundles that the SPIRE server holds. */
  bundles: string[];
  /** Trust domains of its dynamic relationships, hand-made ones among them. */
  relationships: string[];
  asked: AskedTrust[];
  /** Objects that want a trust domain's bundle for workloads, and whose entries SPIRE refuses without it. */
  users: { object: string; trustDomain: string }[];
  /** Kinds of such objects that whoever asks may not list. */
  unlisted: string[];
}

/** A member's cluster, as far as the end of a trust is seen and made there. */
export interface Site extends Pick<SpireServer, "polls" | "forget"> {
  traces(): Promise<Traces>;
}

export function site(access: ClusterAccess, signal?: AbortSignal): Site {
  const server = spireServer(access, signal);
  return {
    polls: (trustDomain) => server.polls(trustDomain),
    forget: (trustDomain) => server.forget(trustDomain),
    traces: async () => {
      const reader = connect(access, signal);
      const [bundles, relationships, asked, users] = await Promise.all([
        server.bundles(),
        server.relationships(),
        readAsked(reader),
        readUsers(reader),
      ]);
      return { bundles: bundles.map(({ trustDomain }) => trustDomain), relationships, asked, ...users };
    },
  };
}

/** Only for warnings: a removal does not need the right to list them. */
async function readUsers(reader: ClusterReader): Promise<Pick<Traces, "users" | "unlisted">> {
  const { objects, unlisted } = await readFederating(reader);
  const users = objects.flatMap(({ object, trustDomains }) =>
    trustDomains.map((trustDomain) => ({ object, trustDomain })),
  );
  return { users, unlisted };
}

/** All trust domains that the cluster trusts, or is asked to trust. */
export const trustedIn = ({ bundles, relationships, asked }: Traces): string[] => [
  ...new Set([...bundles, ...relationships, ...asked.map(({ trustDomain }) => trustDomain)]),
];

/** The traces of these trust domains only. Pure. */
export function tracesOf(
  { bundles, relationships, asked, users, unlisted }: Traces,
  trustDomains: readonly string[],
): Traces {
  const about = ({ trustDomain }: { trustDomain: string }): boolean => trustDomains.includes(trustDomain);
  return {
    bundles: bundles.filter((trustDomain) => trustDomains.includes(trustDomain)),
    relationships: relationships.filter((trustDomain) => trustDomains.includes(trustDomain)),
    asked: asked.filter(about),
    users: users.filter(about),
    unlisted,
  };
}
