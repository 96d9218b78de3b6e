/** The clusters that a kubeconfig leads to, and what each of them is. Only reads, and no secret. */
import type { ClusterAccess } from "../../components/cluster/access";
import { type ClusterReader, type KubeObject, unlessForbidden } from "../../components/cluster/cluster";
import { AccessError, contextsOf, kubeconfigName } from "../../components/cluster/kubeconfig";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "../../components/shared/names";
import { describeRelease, readZtwimRelease } from "../../components/spireServer/ztwimRelease";
import { definedOnly } from "../../stacks/fields";
import { type Survey, survey } from "../adopt/survey";
import { UsageError } from "../kernel/exit";
import { look, type Looked } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { SpireServer } from "../spire/spireServer";

/** A context that leads to a cluster. */
export interface Way extends ClusterAccess {
  context: string;
  server: string | undefined;
  /** The command line names it. */
  named: boolean;
  /** What the command line calls its stack. */
  stack?: string;
}

/**
 * All contexts, or the named ones, each once.
 *
 * @param words contexts of the command line, as `<context>` or `<stack>=<context>`
 * @throws UsageError for a kubeconfig that cannot be read, and for a context that is in none
 */
export function waysOf(kubeconfigs: readonly string[], words: readonly string[]): Way[] {
  const files = kubeconfigs.length === 0 ? [undefined] : [...new Set(kubeconfigs)];
  const all = files.flatMap((kubeconfig) => contextsIn(definedOnly({ kubeconfig })));
  if (words.length === 0) return all;
  const ways = words.flatMap((word) => {
    const [, stack, context] = all.some((way) => way.context === word) ? [] : (/^([^=]+)=(.+)$/s.exec(word) ?? []);
    const found = all.filter((way) => way.context === (context ?? word));
    const [only, ...others] = found;
    if (only === undefined) {
      const known = all.map((way) => way.context).join(", ");
      throw new UsageError(`context "${context ?? word}" is not in ${named(kubeconfigs)}; there are ${known}`);
    }
    if (stack !== undefined && others.length > 0)
      throw new UsageError(
        `"${word}": several files have a context of that name; name one file alone with --kubeconfig`,
      );
    return found.map((way) => ({ ...way, named: true, ...definedOnly({ stack }) }));
  });
  return ways.filter(
    (way, at) => ways.findIndex((one) => one.context === way.context && one.kubeconfig === way.kubeconfig) === at,
  );
}

const named = (kubeconfigs: readonly string[]): string =>
  kubeconfigs.length === 0 ? `the kubeconfig ${kubeconfigName({})}` : kubeconfigs.join(", ");

function contextsIn(file: Pick<ClusterAccess, "kubeconfig">): Way[] {
  try {
    const found = contextsOf(file);
    if (found.length === 0)
      throw new AccessError("kubeconfig", `the kubeconfig ${kubeconfigName(file)} has no contexts`);
    return found.map((one) => ({ ...file, ...one, named: false }));
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    throw new UsageError(`${error.message}; or name another one with --kubeconfig`);
  }
}

/** What a cluster is. */
export interface Cluster {
  /** Of namespace kube-system, by which clusters are told apart; undefined where it may not be read. */
  uid: string | undefined;
  survey: Survey;
  /** Of ZTWIM, for people. */
  release: string;
  /** Issuers of cert-manager that an endpoint's certificate could come from, as `<kind>/<name>`; undefined where they may not be listed. */
  issuers: string[] | undefined;
}

export interface ClusterWorld {
  reader(access: ClusterAccess): ClusterReader;
  server(access: ClusterAccess): Pick<SpireServer, "bundles">;
}

/** What was seen by a way, or which way leads to the same cluster. */
export interface ClusterSight {
  way: Way;
  seen: Looked<Cluster> | { sameAs: Way };
}

/** Looks at the clusters, each once: `oc project` alone leaves a context for every namespace. */
export async function lookAt(ways: readonly Way[], world: ClusterWorld, parallel: number): Promise<ClusterSight[]> {
  const looks = await inParallel(parallel, ways, async (way) => {
    const access = { context: way.context, ...definedOnly({ kubeconfig: way.kubeconfig }) };
    return { way, seen: await look(() => read(world.reader(access), world.server(access))) };
  });
  // Whoever may read the cluster speaks for those who may not.
  const order = [...looks].sort((one, other) => Number("because" in one.seen) - Number("because" in other.seen));
  const firsts = new Map<string, Way>();
  const sameAs = new Map<Way, Way>();
  for (const { way, seen } of order) {
    const uid = "seen" in seen ? seen.seen.uid : undefined;
    const keys = [...(uid === undefined ? [] : [`uid ${uid}`]), ...(way.server === undefined ? [] : [way.server])];
    const first = keys.map((key) => firsts.get(key)).find((one) => one !== undefined);
    if (first !== undefined) sameAs.set(way, first);
    for (const key of keys) if (!firsts.has(key)) firsts.set(key, first ?? way);
  }
  return looks.map(({ way, seen }) => {
    const first = sameAs.get(way);
    return { way, seen: first === undefined ? seen : { sameAs: first } };
  });
}

async function read(reader: ClusterReader, spire: Pick<SpireServer, "bundles">): Promise<Cluster> {
  const [found, uid] = await Promise.all([survey(reader, spire), uidOf(reader)]);
  if (found.trustDomain === undefined) return { uid, survey: found, release: "none", issuers: undefined };
  const [release, issuers] = await Promise.all([readZtwimRelease(reader), issuersOf(reader)]);
  return { uid, survey: found, release: describeRelease(release), issuers };
}

const uidOf = async (reader: ClusterReader): Promise<string | undefined> =>
  (await unlessForbidden(undefined, reader.get("v1", "Namespace", "kube-system")))?.metadata?.uid;

async function issuersOf(reader: ClusterReader): Promise<string[] | undefined> {
  const [own, all] = await Promise.all([
    unlessForbidden(undefined, reader.list(CERT_MANAGER_API, "Issuer", OPERAND_NAMESPACE)),
    unlessForbidden(undefined, reader.list(CERT_MANAGER_API, "ClusterIssuer")),
  ]);
  const names = (kind: string, objects: readonly KubeObject[]): string[] =>
    objects.map(({ metadata }) => `${kind}/${metadata?.name ?? ""}`).sort();
  return own === undefined || all === undefined ? undefined : [...names("Issuer", own), ...names("ClusterIssuer", all)];
}
