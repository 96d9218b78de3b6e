/**
 * Checks the config against the cluster before anything is changed. It only reads, and the judgement is pure. Works with
 * read-only access, and in a preview of a cluster on which this program has made nothing yet.
 */
import { accessOf, type ClusterAccess } from "../components/cluster/access";
import { TRUST_KIND, type TrustObject } from "../components/bundle/bundleMark";
import type { FederatesWith } from "../components/bundle/peer";
import {
  type Cluster,
  type ClusterReader,
  Forbidden,
  type KubeObject,
  type ServiceProxy,
} from "../components/cluster/cluster";
import { PROXY_RIGHTS, readServedBundle } from "../components/bundle/clusterProbe";
import { readIssuer } from "../components/certificates/certificateReadiness";
import { type Conditioned, isTrue } from "../components/cluster/conditions";
import type { FederationRoute } from "../components/route/federationRoute";
import {
  describeInstalled,
  type InstalledOperator,
  inspectCertManager,
} from "../components/operators/inspectCertManager";
import { existingIssuer } from "../components/certificates/issuer";
import { refusalOfRouter } from "../components/certificates/routerCertificate";
import { AccessError } from "../components/cluster/kubeconfig";
import { judgeKeyTimes, keyLivesOf, type KeyTiming } from "../components/spireServer/keyTimes";
import * as names from "../components/shared/names";
import { problem, type Problem } from "../components/shared/problem";
import { word } from "../components/shared/shell";
import type { ClusterConfig } from "./config";
import { certManagerIssuer, keepEndpoint, type LiveEndpoint } from "./endpoint";
import { judgeEndpoint, judgeForeignSecret } from "./judgeEndpoint";
import { keepsAccess, type MadeObject, readMade } from "./madeObjects";
import { judgeSpireServer, type LiveSpireServer } from "./managedServer";
import { judgePlatform, lookAtPlatform, platformWarnings, type PlatformState } from "./preflightPlatform";
import { type IngressConfig, judgeRoute, type LiveRoute, routeOf, routeWarnings } from "./preflightRoute";

/** A cluster that may be changed. */
export interface PassedPreflight {
  reader: Cluster;
  /** What the stack is configured to be, with what the cluster has and keeps where the config leaves it open. */
  config: ClusterConfig;
  /** What there is of cert-manager; undefined when the profile needs none. */
  certManager: InstalledOperator | undefined;
  /** Follows from the config and the cluster's ingress domain. */
  route: FederationRoute;
  /** Warnings: worth reading, but no reason to stop. */
  warnings: string[];
  /** What was found and is kept. */
  notes: string[];
  /** The ClusterFederatedTrustDomains of the cluster. */
  trust: TrustObject[];
  /** The SpireServer as it is. */
  spireServer: ClusterState["spireServer"];
  made: MadeObject[];
  platform: PlatformState;
}

/** The live objects that are judged; undefined is an object, or a kind, that is not there. */
export interface ClusterState {
  ztwim: (Conditioned & { spec?: { trustDomain?: string } }) | undefined;
  spireServer:
    | (Conditioned &
        LiveSpireServer & {
          spec?: { federation?: { bundleEndpoint?: LiveEndpoint; federatesWith?: FederatesWith[] } };
        })
    | undefined;
  ingress: IngressConfig | undefined;
  /** By the operator's name. */
  route: LiveRoute | undefined;
  /** The definition of ClusterFederatedTrustDomain. */
  federationCrd: KubeObject | undefined;
  /** The issuer that the config refers to. */
  issuer: KubeObject | undefined;
  trust: TrustObject[];
  /** The objects that the stack makes, and those of their names that are there. */
  made: MadeObject[];
  platform: PlatformState;
}

const FEDERATION_CRD = "clusterfederatedtrustdomains.spire.spiffe.io";

/** Reads and judges the cluster. Returns all problems at once; if the cluster cannot be read, that is the only one. */
export async function preflight(
  given: ClusterConfig,
  connect: (access: ClusterAccess) => Cluster,
): Promise<PassedPreflight | Problem[]> {
  try {
    const reader = connect(given);
    const forbidden: string[] = [];
    const lenient = readOn(reader, forbidden);
    const state = { ...(await look(lenient, given)), platform: await lookAtPlatform(reader) };
    const { config, notes } = keepEndpoint(given, state.spireServer?.spec?.federation?.bundleEndpoint);
    const [certManager, made] = await Promise.all([
      certManagerIssuer(config) === undefined ? undefined : inspectCertManager(lenient),
      readMade(lenient, config, routeOf(config, state)),
    ]);
    const problems = judge(config, { ...state, made });
    if (config.probe === "cluster") problems.push(...(await judgeProbe(reader)));
    if (forbidden.length > 0) {
      const cure = "a preview needs what docs/rbac/auditor.yaml grants; give it to whoever this context is";
      return problem("context", [cure, ...forbidden].join("\n    "));
    }
    if (certManager !== undefined) {
      problems.push(...(Array.isArray(certManager) ? certManager : judgeCertManager(config, certManager)));
    }
    const router = problems.length === 0 ? await judgeRouter(config, routeOf(config, state).host) : [];
    problems.push(...(Array.isArray(router) ? router : []));
    if (problems.length === 0 && !Array.isArray(certManager)) {
      const route = routeOf(config, state);
      return {
        reader,
        config,
        certManager,
        route,
        warnings: [
          ...platformWarnings(state.platform),
          ...routeWarnings(config, route, state),
          ...keyWarnings(config, state),
          ...(Array.isArray(router) ? [] : [router.warning]),
        ],
        notes,
        trust: state.trust,
        spireServer: state.spireServer,
        made,
        platform: state.platform,
      };
    }
    return problems;
  } catch (error) {
    const path = error instanceof AccessError ? error.key : "context";
    return problem(path, error instanceof Error ? error.message : String(error));
  }
}

/** Nothing serves a bundle before the first up, so only a lack of rights counts. */
async function judgeProbe(proxy: ServiceProxy): Promise<Problem[]> {
  try {
    await readServedBundle(proxy);
    return [];
  } catch (error) {
    return error instanceof Forbidden ? problem("probe", `${error.message}; ${PROXY_RIGHTS}`) : [];
  }
}

/** Whether peers can verify the router's default certificate, where the endpoint is to have it. */
async function judgeRouter(config: ClusterConfig, host: string): Promise<Problem[] | { warning: string }> {
  if (config.profile === "https_spiffe" || config.issuer.type !== "router") return [];
  if (config.probe === "cluster") {
    const warning =
      `the router's default certificate was not looked at, because probe is cluster; peers must be able to verify it for ${host}. ` +
      `See it from where the router can be reached: curl -v ${word(`https://${host}`)}`;
    return { warning };
  }
  const refusal = await refusalOfRouter(`https://${host}`, config.endpointCa);
  return refusal === undefined ? [] : problem("issuer.type", refusal);
}

/** Keys without effect, because somebody else has installed cert-manager. Pure. */
function judgeCertManager({ certManager }: ClusterConfig, installed: InstalledOperator): Problem[] {
  if (installed.state === "absent" || installed.state === "ours") return [];
  return Object.keys(certManager).map((key) => ({
    path: `certManager.${key}`,
    message: `has no effect, because cert-manager is already installed by ${describeInstalled(installed)}; remove the key`,
  }));
}

/** Treats what may not be read as absent and reads on, so that one message lists all missing rights. */
function readOn(reader: ClusterReader, forbidden: string[]): ClusterReader {
  const orElse = <T>(missing: T, request: Promise<T>): Promise<T> =>
    request.catch((error: unknown) => {
      if (!(error instanceof Forbidden)) throw error;
      forbidden.push(error.message);
      return missing;
    });
  return {
    access: reader.access,
    get: <T extends KubeObject>(...what: Parameters<ClusterReader["get"]>) =>
      orElse<T | undefined>(undefined, reader.get<T>(...what)),
    list: <T extends KubeObject>(...what: Parameters<ClusterReader["list"]>) =>
      orElse<T[]>([], reader.list<T>(...what)),
  };
}

async function look(reader: ClusterReader, config: ClusterConfig): Promise<Omit<ClusterState, "platform" | "made">> {
  const namespace = names.OPERAND_NAMESPACE;
  const issuer = certManagerIssuer(config);
  const [ztwim, spireServer, ingress, route, federationCrd, referred, trust] = await Promise.all([
    reader.get(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON),
    reader.get(names.OPERATOR_API, "SpireServer", names.SINGLETON),
    reader.get<IngressConfig>("config.openshift.io/v1", "Ingress", names.SINGLETON),
    reader.get<LiveRoute>(names.ROUTE_API, "Route", names.FEDERATION_ROUTE, namespace),
    reader.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", FEDERATION_CRD),
    issuer?.type === "existing" ? readIssuer(reader, existingIssuer(issuer)) : undefined,
    reader.list<TrustObject>(names.SPIRE_API, TRUST_KIND),
  ]);
  return { ztwim, spireServer, ingress, route, federationCrd, issuer: referred, trust };
}

/** Pure: all conflicts between the config and the cluster. */
export function judge(config: ClusterConfig, state: ClusterState): Problem[] {
  return [
    ...judgeCluster(config, state),
    ...judgeTrustDomain(config, state),
    ...judgeEndpoint(config, state.spireServer?.spec?.federation?.bundleEndpoint, keepsAccess(config, state.made)),
    ...judgeForeignSecret(config, state.spireServer),
    // Where there is no ZTWIM, no CRD says what a SpireServer is.
    ...(state.ztwim === undefined
      ? []
      : [
          ...judgeSpireServer(config.spireServer, state.spireServer, state.platform.operator, accessOf(config)),
          ...judgePlatform(config, state.platform),
          ...judgeKeys(config, state),
        ]),
  ];
}

/** The procedure's prerequisites, and the objects that the config refers to. */
function judgeCluster(config: ClusterConfig, { ztwim, spireServer, ...state }: ClusterState): Problem[] {
  const problems: Problem[] = [];
  const add = (path: string, message: string): unknown => problems.push({ path, message });
  if (ztwim === undefined) {
    const cure = "install the Zero Trust Workload Identity Manager and create it first, or choose another context";
    add("context", `the cluster has no ZeroTrustWorkloadIdentityManager "cluster"; ${cure}`);
  } else {
    if (state.federationCrd === undefined) {
      add("context", `the cluster has no CRD ${FEDERATION_CRD}; let ZTWIM's operator finish its installation`);
    }
    if (spireServer === undefined && config.spireServer === undefined) {
      const cure = "create it, or set spireServer.manage to true and let this stack do it";
      add("spireServer", `the cluster has no SpireServer "cluster" that could be given a federation; ${cure}`);
    }
  }
  // Release 1.0.0 never takes ZeroTrustWorkloadIdentityManager's condition back; each operand's own is right.
  if (isTrue(spireServer ?? ztwim, "CreateOnlyMode")) {
    const cure = "take CREATE_ONLY_MODE out of its Subscription's env";
    add("context", `ZTWIM's operator is in create-only mode and would ignore every change; ${cure}`);
  }
  const issuer = certManagerIssuer(config);
  if (issuer?.type === "existing" && state.issuer === undefined) {
    const { kind, name } = existingIssuer(issuer);
    add("issuer.name", `there is no ${kind} "${name}"; create it, or name another`);
  }
  return problems;
}

/** Peers that learn of a key after it is in use refuse what it signs. */
function judgeKeys(config: ClusterConfig, state: ClusterState): Problem[] {
  const { state: timing, about, cure } = keyTiming(config, state);
  const key = config.spireServer?.spec["caValidity"] === undefined ? "endpoint.refreshHint" : "spireServer.caValidity";
  return timing === "impossible" ? problem(key, `leaves peers no time: ${about}; ${cure}`) : [];
}

function keyWarnings(config: ClusterConfig, state: Pick<ClusterState, "spireServer">): string[] {
  const { state: timing, about, cure } = keyTiming(config, state);
  return timing === "tight" ? [`${about}; ${cure}`] : [];
}

/** With the lifetime that the stack sets; else with the one that the cluster has. */
function keyTiming(
  { spireServer, refreshHint }: ClusterConfig,
  { spireServer: live }: Pick<ClusterState, "spireServer">,
): KeyTiming {
  const set = [spireServer?.spec, live?.spec].map((spec: Record<string, unknown> | undefined) => spec?.["caValidity"]);
  const { caValidity } = keyLivesOf({ caValidity: set.find((value) => typeof value === "string") });
  return judgeKeyTimes({ caValidity, refreshHint });
}

/** The trust domain is the cluster's, and the operator can make its Route. */
function judgeTrustDomain(config: ClusterConfig, state: ClusterState): Problem[] {
  const [{ trustDomain }, { ztwim }] = [config, state];
  const live = ztwim?.spec?.trustDomain;
  if (ztwim !== undefined && live !== trustDomain) {
    const cure = `set it to "${live ?? ""}", or choose another context`;
    return problem("trustDomain", `"${trustDomain}" is not what ZeroTrustWorkloadIdentityManager/cluster has; ${cure}`);
  }
  if (!state.ingress?.spec?.domain) {
    const cure = "choose the context of an OpenShift cluster";
    return problem("context", `the cluster has no ingress domain (ingresses.config.openshift.io/cluster); ${cure}`);
  }
  return judgeRoute(config, routeOf(config, state), state.route);
}
