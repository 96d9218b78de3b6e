/** Everything that verify reads of a member before anything is judged. */
import { lookAtDeployments } from "../../components/operators/certManagerReadiness";
import {
  type Cluster,
  type ClusterReader,
  type ConfigMap,
  Forbidden,
  type KubeObject,
  type ServiceProxy,
} from "../../components/cluster/cluster";
import { PROXY_RIGHTS, readServedBundle } from "../../components/bundle/clusterProbe";
import type { Conditioned } from "../../components/cluster/conditions";
import { readIssuer } from "../../components/certificates/certificateReadiness";
import { federationRoute } from "../../components/route/federationRoute";
import { inspectCertManager } from "../../components/operators/inspectCertManager";
import { type Issued, readIssued } from "../../components/certificates/issuingCa";
import { planIssuer } from "../../components/certificates/issuer";
import * as names from "../../components/shared/names";
import { explain } from "../../components/shared/problem";
import { failed, type Verdict } from "../../components/waiting/readiness";
import { readRoute, type Route } from "../../components/route/routeReadiness";
import { readOwnRoots } from "../../components/bundle/spiffeEndpoint";
import { mountedCas } from "../../components/trustedCas/peerCasReadiness";
import { readCas } from "../../components/trustedCas/trustedCas";
import type { Pod, Workload } from "../../components/waiting/workloads";
import { readZtwimRelease, type ZtwimRelease } from "../../components/spireServer/ztwimRelease";
import { certManagerIssuer } from "../../stacks/endpoint";
import { readIngressDomain, type TrustFacts, trustReads } from "../trust/trustFacts";
import type { MeshMember } from "../members/members";
import { inParallel } from "../kernel/parallel";
import { POD } from "../spire/serverCommands";
import type { SpireServer } from "../spire/spireServer";
import { type Attesting, attestingOf } from "./agentLog";
import type { ApiServer } from "./apiServer";
import type { NetworkPolicy } from "./networkPolicies";
import { look, lookAtEach, type Looked } from "../kernel/looked";
import type { HeldBundle, Signing } from "../spire/bundle";

export interface CertificateObject extends Conditioned {
  spec?: { dnsNames?: string[]; issuerRef?: { kind?: string; name?: string } };
  status?: Conditioned["status"] & { notBefore?: string; notAfter?: string; renewalTime?: string };
}

export interface RoleObject extends KubeObject {
  rules?: unknown[];
}

export interface RoleBindingObject extends KubeObject {
  roleRef?: { kind?: string; name?: string };
  subjects?: unknown[];
}

export interface DaemonSet extends KubeObject {
  status?: { desiredNumberScheduled?: number; numberReady?: number };
}

/** What ZTWIM's operator makes for one of its custom resources. */
export interface Operand<T> {
  /** Whether the custom resource is there. */
  asked: boolean;
  live: T | undefined;
}

/** A SPIRE agent, and what it says of its work. */
export interface AgentPod {
  pod: Pod;
  attesting: Looked<Attesting>;
}

/** A bundle (JWKS) that the API server got from the SPIRE server, or why it got none. */
export type ServedInside = { body: string } | { trouble: string };

/** What is in a cluster; undefined is an object that is not there. */
export interface Objects extends TrustFacts {
  ztwim: (Conditioned & { spec?: { trustDomain?: string } }) | undefined;
  ingressDomain: string | undefined;
  certManager: Verdict;
  issuer: (Conditioned & { spec?: object }) | undefined;
  certificate: CertificateObject | undefined;
  issued: Issued | undefined;
  role: RoleObject | undefined;
  binding: RoleBindingObject | undefined;
  /** What the router may do with the endpoint's secret. */
  routersVerbs: string[];
  route: Route | undefined;
  statefulSet: Workload | undefined;
  pod: Pod | undefined;
  networkPolicies: NetworkPolicy[];
  agents: DaemonSet | undefined;
  agentPods: AgentPod[];
  csiDriver: Operand<DaemonSet>;
  oidcProvider: Operand<Workload>;
  release: ZtwimRelease;
  /** Configuration of the SPIRE controller manager, YAML. */
  controllerManagerConf: string | undefined;
  /** The Role of ZTWIM 1.1 for the router. */
  operatorsRole: RoleObject | undefined;
  /** The ConfigMap whose CAs the SPIRE server trusts instead of the system's; undefined where it trusts those. */
  trustedCas: { name: string; pem: string } | undefined;
  /** What the SPIRE server serves inside its cluster; undefined where it need not be asked there. */
  servedInside: ServedInside | undefined;
  /** Its X.509 roots in PEM, as the agents get them. */
  roots: string | undefined;
  /** As its SPIRE server has them: */
  own: HeldBundle;
  signing: Signing;
}

/** Each by itself: read, or why it could not be. */
export type Facts = { [K in keyof Objects]: Looked<Objects[K]> };

/** Ways to a cluster. */
export interface Sources {
  reader: Cluster;
  api: ApiServer;
  server: SpireServer;
}

/** What was read of a member, and the way to what is read when all others were. */
export interface FirstFacts {
  version: string;
  /** A member's own keys come last: a key that is made in between is missing nowhere. */
  complete: () => Promise<Facts>;
}

/** @returns why nothing could be read, or the version of the API server and what it says */
export async function readFacts({ config }: MeshMember, connect: () => Sources): Promise<Looked<FirstFacts>> {
  const reached = await look(async () => {
    const sources = connect();
    return { sources, version: await sources.api.version() };
  });
  if ("because" in reached) return reached;
  const { version, sources } = reached.seen;
  const { reader, api, server } = sources;
  const here = names.OPERAND_NAMESPACE;
  const issuer = certManagerIssuer(config);
  const { names: endpoint } = config;
  const route = async () => federationRoute(config, (await readIngressDomain(reader)) ?? "");
  let bundle: Promise<HeldBundle> | undefined;
  const own = (): Promise<HeldBundle> => (bundle ??= server.ownBundle());
  const ownReads = { own, signing: async () => server.signing(await own()) };
  const first: { [K in Exclude<keyof Objects, keyof typeof ownReads>]: () => Promise<Objects[K]> } = {
    ...trustReads({ reader, server, log: () => api.serverLog() }),
    ztwim: () => reader.get(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON),
    ingressDomain: () => readIngressDomain(reader),
    certManager: () => lookAtInstalled(reader),
    issuer: async () => issuer && readIssuer(reader, planIssuer(issuer, (await route()).host).reference),
    certificate: () => reader.get(names.CERT_MANAGER_API, "Certificate", endpoint.certificate, here),
    issued: () => readIssued(reader, endpoint.certificate),
    role: () => reader.get(names.RBAC_API, "Role", endpoint.role, here),
    binding: () => reader.get(names.RBAC_API, "RoleBinding", endpoint.roleBinding, here),
    routersVerbs: () => api.routersVerbs(endpoint.secret),
    route: async () => readRoute(reader, (await route()).own),
    statefulSet: () => reader.get("apps/v1", "StatefulSet", names.SPIRE_SERVER, here),
    pod: () => reader.get("v1", "Pod", POD, here),
    networkPolicies: () => reader.list("networking.k8s.io/v1", "NetworkPolicy", here),
    agents: () => reader.get("apps/v1", "DaemonSet", names.SPIRE_AGENT, here),
    agentPods: () => readAgents(reader, api),
    csiDriver: () => readOperand(reader, "SpiffeCSIDriver", "DaemonSet", names.CSI_DRIVER),
    oidcProvider: () => readOperand(reader, "SpireOIDCDiscoveryProvider", "Deployment", names.OIDC_PROVIDER),
    release: () => readZtwimRelease(reader),
    controllerManagerConf: async () => {
      const map = await reader.get<ConfigMap>("v1", "ConfigMap", names.CONTROLLER_MANAGER, here);
      return map?.data?.["controller-manager-config.yaml"];
    },
    operatorsRole: () => reader.get(names.RBAC_API, "Role", names.OPERATORS_READER, here),
    trustedCas: async () => {
      const name = mountedCas(await reader.get<Workload>("apps/v1", "StatefulSet", names.SPIRE_SERVER, here));
      return name === undefined ? undefined : { name, pem: await readCas(reader, name) };
    },
    servedInside: async () => (config.probe === "cluster" ? readServedInside(reader) : undefined),
    roots: () => readOwnRoots(reader),
  };
  const held = await lookAtEach(first);
  return { seen: { version, complete: async () => ({ ...held, ...(await lookAtEach(ownReads)) }) } };
}

/** @throws Forbidden: that nobody may ask says nothing about the SPIRE server */
async function readServedInside(proxy: ServiceProxy): Promise<ServedInside> {
  try {
    return { body: await readServedBundle(proxy) };
  } catch (error) {
    if (error instanceof Forbidden) throw new Forbidden(`${error.message}; ${PROXY_RIGHTS}`, { cause: error });
    return { trouble: (error as Error).message };
  }
}

async function lookAtInstalled(reader: ClusterReader): Promise<Verdict> {
  const installed = await inspectCertManager(reader);
  if (Array.isArray(installed)) return failed(explain(installed));
  if (installed.state === "absent") return failed("it is not installed");
  return lookAtDeployments(reader, installed);
}

/** Clusters have hundreds of nodes, and each has an agent. */
const LOGS_AT_ONCE = 8;

async function readAgents(reader: ClusterReader, api: ApiServer): Promise<AgentPod[]> {
  const label = `app.kubernetes.io/name=${names.SPIRE_AGENT}`;
  const pods = await reader.list<Pod>("v1", "Pod", names.OPERAND_NAMESPACE, label);
  return inParallel(LOGS_AT_ONCE, pods, async (pod) => ({
    pod,
    attesting: await look(async () => attestingOf(await api.agentLog(pod.metadata?.name ?? ""))),
  }));
}

async function readOperand<T extends KubeObject>(
  reader: ClusterReader,
  resource: string,
  kind: string,
  name: string,
): Promise<Operand<T>> {
  const asked = await reader.get(names.OPERATOR_API, resource, names.SINGLETON);
  return { asked: asked !== undefined, live: await reader.get<T>("apps/v1", kind, name, names.OPERAND_NAMESPACE) };
}
