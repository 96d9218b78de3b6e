/** What there is to know of a member before anything is judged, and what could not be found out. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { type ClusterReader, unlessForbidden } from "../../components/cluster/cluster";
import * as names from "../../components/shared/names";
import type { Contract } from "../../stacks/contract";
import type { Published } from "../pulumi/workspace";
import type { MeshMember } from "../members/members";
import { type Compared, identify } from "./objectFindings";
import type { StackObject } from "../pulumi/stackObjects";
import { type TrustFacts, trustReads, type TrustSources } from "../trust/trustFacts";
import { look, lookAtEach, type Looked } from "../kernel/looked";
import type { HeldBundle } from "../spire/bundle";
import type { DriftOutcome } from "../pulumi/outcomes";

export interface Drifts {
  published(id: string): Promise<Published | undefined>;
  drift(id: string): Promise<DriftOutcome>;
}

/** Ways to the clusters. */
export interface Clusters {
  cluster(access: ClusterAccess): TrustSources;
  /** What a peer's bundle endpoint serves. */
  endpoint(peer: Contract): Promise<HeldBundle>;
}

export interface MemberReading {
  stack: Looked<{ compared: Compared[]; others: StackObject[] }>;
  facts: { [K in keyof TrustFacts]: Looked<TrustFacts[K]> };
}

export async function readMember(
  { id, config }: MeshMember,
  stacks: Drifts,
  clusters: Clusters,
): Promise<Looked<MemberReading>> {
  const there = await look(async () => {
    const sources = clusters.cluster(accessOf(config));
    const { reader } = sources;
    await unlessForbidden(
      undefined,
      reader.get(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON),
    );
    return sources;
  });
  if ("because" in there) return there;
  const [stack, facts] = await Promise.all([
    look(() => readStack(id, there.seen.reader, stacks)),
    lookAtEach<TrustFacts>(trustReads(there.seen)),
  ]);
  return { seen: { stack, facts } };
}

/** What the stack asks for, and what of that is in the cluster. */
export async function readStack(
  id: string,
  reader: ClusterReader,
  stacks: Pick<Drifts, "drift">,
): Promise<{ compared: Compared[]; others: StackObject[] }> {
  const outcome = await stacks.drift(id);
  if (!outcome.succeeded) throw new Error(outcome.errors.join("\n"));
  const compared: Compared[] = [];
  const others: StackObject[] = [];
  for (const object of outcome.objects) {
    const id = identify(object);
    if (id === undefined) others.push(object);
    else compared.push({ object, live: await reader.get(id.apiVersion, id.kind, id.name, id.namespace) });
  }
  return { compared, others };
}
