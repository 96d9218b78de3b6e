/** What a cluster holds of other trust domains: read from the cluster, not from any stack. */
import type { ClusterAccess } from "../../components/access";
import type { ClusterReader, KubeObject } from "../../components/cluster";
import { Forbidden } from "../../components/cluster";
import { TRUST_KIND } from "../../components/bundleMark";
import { connect } from "../../components/connect";
import { FEDERATION_CLASS, OPERATOR_API, SINGLETON, SPIRE_API } from "../../components/names";
import { type SpireServer, spireServer } from "../spire/spireServer";

export interface Traces {
  /** Trust domains of the bundles that the SPIRE server holds. */
  bundles: string[];
  /** Trust domains of its dynamic relationships, hand-made ones among them. */
  relationships: string[];
  /** Objects that make the SPIRE server fetch a trust domain's bundle: ClusterFederatedTrustDomains, the SpireServer. */
  asked: { object: string; trustDomain: string }[];
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

interface TrustObject extends KubeObject {
  spec?: { className?: string; trustDomain?: string; federatesWith?: string[] };
}

interface Server extends KubeObject {
  spec?: { federation?: { federatesWith?: { trustDomain: string }[] } };
}

export async function readAsked(reader: ClusterReader): Promise<Traces["asked"]> {
  const [objects, server] = await Promise.all([
    reader.list<TrustObject>(SPIRE_API, TRUST_KIND),
    reader.get<Server>(OPERATOR_API, "SpireServer", SINGLETON),
  ]);
  return [
    ...objects
      // The controller ignores those of another class.
      .filter(({ spec }) => spec?.className === FEDERATION_CLASS)
      .map(({ metadata, spec }) => ({
        object: `${TRUST_KIND} ${metadata?.name ?? ""}`,
        trustDomain: spec?.trustDomain ?? "",
      })),
    ...(server?.spec?.federation?.federatesWith ?? []).map(({ trustDomain }) => ({
      object: `SpireServer ${SINGLETON} (spec.federation.federatesWith)`,
      trustDomain,
    })),
  ];
}

/** Only for warnings: a removal does not need the right to list them. */
export async function readUsers(reader: ClusterReader): Promise<Pick<Traces, "users" | "unlisted">> {
  const [users, unlisted]: [Traces["users"], string[]] = [[], []];
  for (const kind of ["ClusterSPIFFEID", "ClusterStaticEntry"]) {
    const objects = await reader.list<TrustObject>(SPIRE_API, kind).catch((error: unknown) => {
      if (!(error instanceof Forbidden)) throw error;
      unlisted.push(kind);
      return [];
    });
    for (const { metadata, spec } of objects) {
      const object = `${kind} ${metadata?.name ?? ""}`;
      users.push(...(spec?.federatesWith ?? []).map((trustDomain) => ({ object, trustDomain })));
    }
  }
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
