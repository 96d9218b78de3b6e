/** Which of the clusters become members, and why the others do not. Pure. */
import { oc } from "../../components/cluster/access";
import { FEDERATION_CLASS, PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { definedOnly } from "../../stacks/fields";
import { foundConfig } from "../adopt/foundConfig";
import type { Survey } from "../adopt/survey";
import { UsageError } from "../kernel/exit";
import type { Cluster, ClusterSight, Way } from "./clusters";
import { nameStacks } from "./names";

/** A context of the kubeconfig, and what comes of its cluster. */
export interface InitCluster {
  context: string;
  /** File of the context, where the command line names it. */
  kubeconfig?: string;
  /**
   * `new`: it becomes a member. `member`: a stack file has its trust domain. `same-cluster`: another context leads there.
   * `no-ztwim`: there is nothing to federate. `refused`: something speaks against it. `unknown`: it cannot be read.
   */
  state: "new" | "member" | "same-cluster" | "no-ztwim" | "refused" | "unknown";
  /** Name of its stack. */
  stack?: string;
  trustDomain?: string;
  /** Release of ZTWIM. */
  ztwim?: string;
  ingressDomain?: string;
  /** Profile of the bundle endpoint that is there already. */
  endpoint?: string;
  /** Trust domains that it trusts already. */
  trusts: string[];
  /** Issuers of cert-manager that could sign its endpoint's certificate, as `<kind>/<name>`; absent where they may not be listed. */
  issuers?: string[];
  /** Why it is left out. */
  reason?: string;
  cure?: string;
}

/** A cluster, and what its stack's file says of it. */
export interface Judged {
  report: InitCluster;
  way: Way;
  /** Keys of the config that the cluster itself decides, of a new member. */
  config: Record<string, unknown>;
}

/**
 * @param members stacks of the folder, with the trust domains that their files have
 * @throws UsageError for a name of the command line that cannot be a stack's, or is another's
 */
export function judge(sights: readonly ClusterSight[], members: ReadonlyMap<string, string>, now: Date): Judged[] {
  const known = new Map([...members].map(([stack, trustDomain]) => [trustDomain, stack]));
  const judged = sights.map((sight) => judgeOne(sight, sights, known, now));
  const fresh = judged.filter(({ report }) => report.state === "new");
  const names = nameStacks(
    fresh.map(({ way, report }) => ({ ...definedOnly({ stack: way.stack }), ...report })),
    [...members.keys()],
  );
  fresh.forEach(({ report }, index) => (report.stack = names[index] ?? ""));
  for (const { way, report } of judged) {
    if (way.stack === undefined || report.stack === undefined || report.stack === way.stack) continue;
    throw new UsageError(
      `${way.stack}=${way.context}: Pulumi.${report.stack}.yaml has that cluster's trust domain already`,
    );
  }
  return judged;
}

function judgeOne(
  { way, seen }: ClusterSight,
  all: readonly ClusterSight[],
  known: ReadonlyMap<string, string>,
  now: Date,
): Judged {
  const { context, kubeconfig } = way;
  const base = { context, ...definedOnly({ kubeconfig }), trusts: [] };
  const out = (report: Omit<InitCluster, "context" | "trusts">): Judged => ({
    report: { ...base, ...report },
    way,
    config: {},
  });
  if ("sameAs" in seen)
    return out({ state: "same-cluster", reason: `context ${labelOf(seen.sameAs)} leads to the same cluster` });
  if ("because" in seen) {
    const cure = `${oc(way, "get zerotrustworkloadidentitymanagers.operator.openshift.io cluster")} shows the same; mend that, and run init again`;
    return out({ state: "unknown", reason: seen.because, cure });
  }
  const { survey, release, issuers } = seen.seen;
  const { trustDomain, ingressDomain, federation } = survey;
  if (trustDomain === undefined)
    return out({ state: "no-ztwim", reason: "there is no ZeroTrustWorkloadIdentityManager cluster" });
  const trusts = trustedBy(survey);
  const endpoint = federation?.bundleEndpoint.profile;
  const facts = { trustDomain, ztwim: release, trusts, ...definedOnly({ ingressDomain, endpoint, issuers }) };
  const verdict = (report: Pick<InitCluster, "state" | "stack" | "reason" | "cure">): Judged =>
    out({ ...facts, ...report });
  const twins = all.filter((one) => one.way !== way && trustDomainOf(one) === trustDomain).map((one) => one.way);
  if (twins.length > 0) {
    const reason = `its trust domain is that of context ${twins.map(labelOf).join(" and ")} as well, which is another cluster`;
    const cure = "a federation needs a trust domain of its own for each cluster; name the context that is meant";
    return verdict({ state: "refused", reason, cure });
  }
  const stack = known.get(trustDomain);
  if (stack !== undefined) return verdict({ state: "member", stack });
  if (trusts.length > 0) {
    const file = kubeconfig === undefined ? "" : ` --kubeconfig ${word(kubeconfig)}`;
    const cure = `take its federation over first: npx ${PROGRAM} adopt <stack> --context ${word(context)}${file}`;
    return verdict({ state: "refused", reason: `it is federated already, with ${trusts.join(", ")}`, cure });
  }
  const found = foundConfig(survey, { ...base, stacks: known, now });
  const [obstacle] = federation === undefined ? [] : found.obstacles;
  if (obstacle !== undefined)
    return verdict({ state: "refused", reason: `${obstacle.object}: ${obstacle.found}`, cure: obstacle.cure });
  return { ...verdict({ state: "new" }), config: endpointKeys(seen.seen, found.config) };
}

/** Of a cluster that has a bundle endpoint already: what a stack keeps of it, and must not be asked for otherwise. */
function endpointKeys(
  { survey }: Cluster,
  { profile, issuer, endpoint, names }: Record<string, unknown>,
): Record<string, unknown> {
  const { federation, certificate } = survey;
  if (federation === undefined) return {};
  const isOwnAcme = federation.bundleEndpoint.httpsWeb?.acme !== undefined;
  const keeps = certificate !== undefined || isOwnAcme;
  return definedOnly({ profile, issuer: keeps ? issuer : undefined, endpoint, names: keeps ? names : undefined });
}

const trustDomainOf = ({ seen }: ClusterSight): string | undefined =>
  "seen" in seen ? seen.seen.survey.trustDomain : undefined;

const labelOf = ({ context, kubeconfig }: Way): string =>
  kubeconfig === undefined ? context : `${context} of ${kubeconfig}`;

function trustedBy({ federation, trust }: Survey): string[] {
  const objects = trust.filter(({ spec }) => spec?.className === FEDERATION_CLASS);
  const domains = [
    ...(federation?.federatesWith ?? []).map(({ trustDomain }) => trustDomain),
    ...objects.flatMap(({ spec }) => spec?.trustDomain ?? []),
  ];
  return [...new Set(domains)].sort();
}
