/**
 * The objects that give workloads their identities, as far as they name other trust domains, and what becomes of them when
 * trust changes.
 *
 * SPIRE refuses an entry as a whole as long as it lacks the bundle of one trust domain that the entry federates with: the
 * pods behind it have no identity then, or keep the one that they have until it ends.
 */
import { writtenTrustDomain } from "../../components/bundle/writtenTrustDomain";
import { type ClusterReader, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import { look, type Looked } from "../kernel/looked";
import { counted } from "../kernel/text";
import { FEDERATION_CLASS, SPIRE_API } from "../../components/shared/names";
import { type AskedTrust, readAsked } from "./askedTrust";

/** A ClusterSPIFFEID or a ClusterStaticEntry with `federatesWith`. */
export interface FederatingObject {
  /** Kind and name. */
  object: string;
  /** How many pods a ClusterSPIFFEID selects, as its controller has counted. */
  pods?: number;
  /** Trust domains that it federates with. */
  trustDomains: string[];
}

export interface FederatingObjects {
  objects: FederatingObject[];
  /** Kinds that whoever asks may not list. */
  unlisted: string[];
}

/** What a cluster has of workloads' objects, and whom it is told to trust. */
export interface WorkloadsThere extends FederatingObjects {
  asked: AskedTrust[];
}

/** What a change of trust does to workloads' objects. */
export interface WorkloadEffects {
  /** Those whose entries SPIRE refuses now, and will take. */
  served: FederatingObject[];
  /** Those whose entries SPIRE will refuse, and for want of whose bundles. */
  refused: (FederatingObject & { missing: string[] })[];
  /** Why more may be, which could not be read. */
  unknown: string[];
}

const KINDS = ["ClusterSPIFFEID", "ClusterStaticEntry"];

interface WorkloadObject extends KubeObject {
  spec?: { className?: string; federatesWith?: string[] };
  status?: { stats?: { podsSelected?: number } };
}

export async function readFederating(reader: ClusterReader): Promise<FederatingObjects> {
  const unlisted: string[] = [];
  const listed = await Promise.all(
    KINDS.map(async (kind) => {
      const found = await reader.list<WorkloadObject>(SPIRE_API, kind).catch((error: unknown) => {
        if (!(error instanceof Forbidden)) throw error;
        unlisted.push(kind);
        return [];
      });
      return found.flatMap((object) => federating(kind, object) ?? []);
    }),
  );
  return { objects: listed.flat(), unlisted };
}

export const workloadsThere = (connect: () => ClusterReader): Promise<Looked<WorkloadsThere>> =>
  look(async () => {
    const reader = connect();
    const [asked, there] = await Promise.all([readAsked(reader), readFederating(reader)]);
    return { asked, ...there };
  });

/** Undefined when it names nobody, or when the controller ignores it for its class. */
function federating(kind: string, { metadata, spec, status }: WorkloadObject): FederatingObject | undefined {
  const trustDomains = [...new Set((spec?.federatesWith ?? []).map(writtenTrustDomain))];
  if (trustDomains.length === 0 || spec?.className !== FEDERATION_CLASS) return undefined;
  const pods = status?.stats?.podsSelected;
  return { object: `${kind} ${metadata?.name ?? ""}`, ...(pods !== undefined && { pods }), trustDomains };
}

/**
 * What it does to workloads that a cluster is told to trust others besides. Pure.
 *
 * SPIRE keeps the bundle of a trust domain that is taken out of the list, so a loss does nothing to workloads yet.
 */
export function workloadEffects(there: Looked<WorkloadsThere>, gained: readonly string[]): WorkloadEffects {
  if ("because" in there) return { served: [], refused: [], unknown: [there.because] };
  const { objects, asked, unlisted } = there.seen;
  const before = asked.map(({ trustDomain }) => trustDomain);
  const after = [...before, ...gained];
  const missing = ({ trustDomains }: FederatingObject, trusted: readonly string[]): string[] =>
    trustDomains.filter((trustDomain) => !trusted.includes(trustDomain));
  const lacking = objects.map((one) => ({ ...one, missing: missing(one, after) }));
  return {
    served: objects.filter((one) => missing(one, before).length > 0 && missing(one, after).length === 0),
    refused: lacking.filter((one) => one.missing.length > 0),
    unknown: unlisted.map((kind) => `you may not list objects of kind ${kind}; docs/rbac/auditor.yaml grants it`),
  };
}

/** `ClusterSPIFFEID shop (3 pods)` */
export function describeFederating({ object, pods }: FederatingObject): string {
  return pods === undefined ? object : `${object} (${counted(pods, "pod")})`;
}
