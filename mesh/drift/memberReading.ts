/** What there is to know of a member before anything is judged, and what could not be found out. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { type ClusterReader, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import type { FederationSpec } from "../../components/spireServer/federationSpec";
import * as names from "../../components/shared/names";
import type { Contract } from "../../stacks/contract";
import type { Published } from "../pulumi/workspace";
import type { MeshMember } from "../members/members";
import { type Compared, identify } from "./objectFindings";
import type { SpireServer } from "../spire/spireServer";
import type { StackObject } from "../pulumi/stackObjects";
import type { Store } from "../trust/serverStore";
import type { ListedTrust } from "../trust/foreignTrust";
import { look, type Looked } from "../kernel/looked";
import type { HeldBundle } from "../spire/bundle";
import type { DriftOutcome } from "../pulumi/outcomes";

export interface Drifts {
  published(id: string): Promise<Published | undefined>;
  drift(id: string): Promise<DriftOutcome>;
}

/** Ways to the clusters. */
export interface Clusters {
  reader(access: ClusterAccess): ClusterReader;
  server(access: ClusterAccess): SpireServer;
  /** What a peer's bundle endpoint serves. */
  endpoint(peer: Contract): Promise<HeldBundle>;
}

export interface MemberReading {
  stack: Looked<{ compared: Compared[]; others: StackObject[] }>;
  trust: Looked<ListedTrust[]>;
  federation: Looked<FederationSpec | undefined>;
  conf: Looked<string | undefined>;
  store: Looked<Store>;
  /** Path of the SPIRE server's program in its container. */
  program: Looked<string>;
}

export async function readMember(
  { id, config }: MeshMember,
  stacks: Drifts,
  clusters: Clusters,
): Promise<Looked<MemberReading>> {
  const there = await look(async () => {
    const reader = clusters.reader(accessOf(config));
    await reader.get(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON).catch(unlessForbidden);
    return reader;
  });
  if ("because" in there) return there;
  const reader = there.seen;
  const server = clusters.server(accessOf(config));
  const [stack, trust, federation, conf, store, program] = await Promise.all([
    look(() => readStack(id, reader, stacks)),
    look(() => reader.list<ListedTrust>(names.SPIRE_API, "ClusterFederatedTrustDomain")),
    look(async () => {
      type SpireServerObject = KubeObject & { spec?: { federation?: FederationSpec } };
      const object = await reader.get<SpireServerObject>(names.OPERATOR_API, "SpireServer", names.SINGLETON);
      return object?.spec?.federation;
    }),
    look(() => readServerConf(reader)),
    look(async () => ({ bundles: await server.bundles(), relationships: await server.relationships() })),
    look(() => server.program()),
  ]);
  return { seen: { stack, trust, federation, conf, store, program } };
}

/** The domain below which the cluster's router serves; undefined where it is no OpenShift. */
export async function readIngressDomain(reader: ClusterReader): Promise<string | undefined> {
  type Ingress = KubeObject & { spec?: { domain?: string } };
  return (await reader.get<Ingress>("config.openshift.io/v1", "Ingress", names.SINGLETON))?.spec?.domain;
}

export async function readServerConf(reader: ClusterReader): Promise<string | undefined> {
  type ConfigMap = KubeObject & { data?: Record<string, string> };
  const map = await reader.get<ConfigMap>("v1", "ConfigMap", names.SPIRE_SERVER, names.OPERAND_NAMESPACE);
  return map?.data?.["server.conf"];
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

function unlessForbidden(error: unknown): undefined {
  if (!(error instanceof Forbidden)) throw error;
  return undefined;
}
