/**
 * Which release of ZTWIM a cluster runs. Whether a feature can be used is asked of the CRD; the version is for people.
 */
import { type ClusterReader, type KubeObject, unlessForbidden } from "../cluster/cluster";
import { OPERAND_NAMESPACE, SPIRE_SERVER, ZTWIM } from "../shared/names";
import { type ClusterServiceVersion, type Subscription, SUBSCRIPTION_API } from "../operators/olm";

/** Where the version was read, most reliable first. The last one describes the operands, which can lag behind the operator. */
export type ReleaseSource = "csv" | "deployment" | "statefulset";

export interface ZtwimRelease {
  /** Whether the SpireServer takes spec.upstreamAuthority, as from 1.1. */
  upstreamAuthority: boolean | "unknown";
  /** For example 1.1.0; from the StatefulSet only 1.0 or 1.1. Absent when nothing says it. */
  version?: string;
  from?: ReleaseSource;
}

/** A container of the operator's Deployment, as far as its environment goes. */
export interface OperatorDeployment extends KubeObject {
  spec?: { template?: { spec?: { containers?: { env?: { name: string; value?: string }[] }[] } } };
}

interface CustomResourceDefinition extends KubeObject {
  spec?: { versions?: { schema?: { openAPIV3Schema?: CrdSchema } }[] };
}

/** A CRD's schema, as far as it is used here. */
export interface CrdSchema {
  type?: string;
  properties?: Record<string, CrdSchema>;
  additionalProperties?: CrdSchema | boolean;
  items?: CrdSchema;
  required?: string[];
  default?: unknown;
  enum?: unknown[];
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  maxProperties?: number;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** The objects that tell the release; undefined is one that is not there, or that cannot be read. */
export interface ReleaseState {
  crd: CustomResourceDefinition | "unreadable" | undefined;
  subscription: Subscription | undefined;
  /** ClusterServiceVersions of ZTWIM. */
  versions: readonly ClusterServiceVersion[];
  deployment: OperatorDeployment | undefined;
  statefulSet: KubeObject | undefined;
}

const CRD = "spireservers.operator.openshift.io";
const VERSION = /(\d+\.\d+\.\d+\S*)$/;

/** The release, by what can be read: what the caller may not read counts as unknown. */
export async function readZtwimRelease(reader: ClusterReader): Promise<ZtwimRelease> {
  return ztwimRelease(await readReleaseState(reader));
}

export async function readReleaseState(reader: ClusterReader): Promise<ReleaseState> {
  const [crd, subscriptions, versions, deployment, statefulSet] = await Promise.all([
    unlessForbidden("unreadable" as const, reader.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD)),
    unlessForbidden([], reader.list<Subscription>(SUBSCRIPTION_API, "Subscription")),
    unlessForbidden(
      [],
      reader.list<ClusterServiceVersion>(SUBSCRIPTION_API, "ClusterServiceVersion", undefined, "!olm.copiedFrom"),
    ),
    unlessForbidden(
      undefined,
      reader.get<OperatorDeployment>("apps/v1", "Deployment", ZTWIM.deployment, OPERAND_NAMESPACE),
    ),
    unlessForbidden(undefined, reader.get("apps/v1", "StatefulSet", SPIRE_SERVER, OPERAND_NAMESPACE)),
  ]);
  const subscription = subscriptions.find(({ spec }) => spec?.name === ZTWIM.packageName);
  return { crd, subscription, versions: versions.filter(isZtwimVersion), deployment, statefulSet };
}

/** Pure. */
export function ztwimRelease(state: ReleaseState): ZtwimRelease {
  const found = installedVersion(state) ?? deployedVersion(state) ?? operandsVersion(state);
  return { upstreamAuthority: takesUpstreamAuthority(state.crd), ...found };
}

/** The release for people: `1.1.0`, or what is known instead. */
export function describeRelease({ version, upstreamAuthority }: ZtwimRelease): string {
  if (version !== undefined) {
    return version;
  }
  return upstreamAuthority === "unknown" ? "unknown" : upstreamAuthority ? "1.1 or newer" : "older than 1.1";
}

function takesUpstreamAuthority(crd: ReleaseState["crd"]): boolean | "unknown" {
  return crd === "unreadable" ? "unknown" : specSchema(crd)?.properties?.["upstreamAuthority"] !== undefined;
}

/** What the CRD says of `spec` of a SpireServer; undefined where there is none, or none that can be read. */
export function specSchema(crd: ReleaseState["crd"]): CrdSchema | undefined {
  return crd === "unreadable" ? undefined : crd?.spec?.versions?.[0]?.schema?.openAPIV3Schema?.properties?.["spec"];
}

type Found = Required<Pick<ZtwimRelease, "version" | "from">>;

/** What OLM has installed: during an upgrade that is the version before, until the new one has succeeded. */
function installedVersion({ subscription, versions }: ReleaseState): Found | undefined {
  const succeeded = versions.find(({ status }) => status?.phase === "Succeeded");
  const installed = subscription?.status?.installedCSV ?? succeeded?.metadata?.name;
  const version = VERSION.exec(installed ?? "")?.[1];
  return version === undefined ? undefined : { version, from: "csv" };
}

function deployedVersion({ deployment }: ReleaseState): Found | undefined {
  const version = operatorEnv(deployment).get("OPERATOR_VERSION");
  return version === undefined || !VERSION.test(version) ? undefined : { version, from: "deployment" };
}

/** The environment of the operator's containers; a value from elsewhere, such as a fieldRef, is an empty text. */
export function operatorEnv(deployment: OperatorDeployment | undefined): Map<string, string> {
  const containers = deployment?.spec?.template?.spec?.containers ?? [];
  return new Map(containers.flatMap(({ env = [] }) => env.map(({ name, value }) => [name, value ?? ""])));
}

/** The operator labels what it makes with SPIRE's version, which tells the minor release only. */
function operandsVersion({ statefulSet }: ReleaseState): Found | undefined {
  const spire = statefulSet?.metadata?.labels?.["app.kubernetes.io/version"] ?? "";
  const version = spire.startsWith("1.13.") ? "1.0" : spire.startsWith("1.14.") ? "1.1" : undefined;
  return version === undefined ? undefined : { version, from: "statefulset" };
}

function isZtwimVersion({ metadata, status }: ClusterServiceVersion): boolean {
  const copied = "olm.copiedFrom" in (metadata?.labels ?? {}) || status?.reason === "Copied";
  return !copied && metadata?.name?.startsWith(ZTWIM.csvPrefix) === true;
}
