/** Checks the platform: OpenShift, ZTWIM's operator, the proxy, the ACME solver. */
import { type ClusterReader, Forbidden, type KubeObject } from "../components/cluster/cluster";
import { ISSUER_DEFAULTS } from "../components/certificates/issuer";
import { OPERAND_NAMESPACE, PROGRAM, ZTWIM } from "../components/shared/names";
import { problem, type Problem } from "../components/shared/problem";
import {
  readReleaseState,
  type ReleaseState,
  type ZtwimRelease,
  ztwimRelease,
} from "../components/spireServer/ztwimRelease";
import { lacksTrustedCas, type ProxyConfig } from "../components/trustedCas/operatorProxy";
import type { ClusterConfig } from "./config";
import { certManagerIssuer, endpointSecret } from "./endpoint";

export interface ClusterVersion extends KubeObject {
  status?: { desired?: { version?: string }; history?: { state?: string; version?: string }[] };
}

/** Undefined: the object is not there, or cannot be read. */
export interface PlatformState {
  version: ClusterVersion | undefined;
  proxy: ProxyConfig | undefined;
  ingressClasses: readonly KubeObject[] | undefined;
  operator: ReleaseState;
  /** What the caller may not read; that is a warning, not a refusal. */
  unread: readonly string[];
}

/** The first release in which a Route's externalCertificate is generally available. */
const OPENSHIFT: readonly [number, number] = [4, 19];
/** The releases of ZTWIM that this program was made for. */
const ZTWIM_OLDEST: readonly [number, number] = [1, 0];
const ZTWIM_NEWEST: readonly [number, number] = [1, 1];

export async function lookAtPlatform(reader: ClusterReader): Promise<PlatformState> {
  const unread: string[] = [];
  const note = (error: unknown): undefined => {
    if (!(error instanceof Forbidden)) throw error;
    unread.push(error.message);
  };
  const [version, proxy, ingressClasses, operator] = await Promise.all([
    reader.get<ClusterVersion>("config.openshift.io/v1", "ClusterVersion", "version").catch(note),
    reader.get<ProxyConfig>("config.openshift.io/v1", "Proxy", "cluster").catch(note),
    reader.list("networking.k8s.io/v1", "IngressClass").catch(note),
    readReleaseState(reader),
  ]);
  return { version, proxy, ingressClasses, operator, unread };
}

/** Pure. */
export function judgePlatform(config: ClusterConfig, state: PlatformState): Problem[] {
  return [
    ...judgeOpenShift(config, openShiftVersion(state.version)),
    ...judgeRelease(ztwimRelease(state.operator)),
    ...judgeNamespace(state.operator),
    // With trustPeerCas the stack may set what is missing: that depends on the peers.
    ...(config.trustPeerCas ? [] : judgeProxy(config, state)),
    ...judgeIngressClass(config, state.ingressClasses),
  ];
}

export function platformWarnings(state: PlatformState): string[] {
  const release = ztwimRelease(state.operator);
  const parts = minorOf(release.version);
  return [
    ...(state.unread.length > 0
      ? [
          `docs/rbac/auditor.yaml grants what a preview reads; without it this is not checked: ${state.unread.join("; ")}`,
        ]
      : []),
    ...(openShiftVersion(state.version) === undefined
      ? ['the cluster\'s OpenShift release is not known (no ClusterVersion "version"); 4.19 or newer is needed.']
      : []),
    ...(parts === undefined
      ? [
          "ZTWIM's release is not known: no ClusterServiceVersion, Deployment or StatefulSet says it; 1.0 or 1.1 is needed.",
        ]
      : isBefore(ZTWIM_NEWEST, parts)
        ? [
            `ZTWIM ${release.version ?? ""} is newer than what this program was made for, 1.0 and 1.1; run npx ${PROGRAM} verify after the up.`,
          ]
        : []),
  ];
}

/** The newest release whose update has completed; during the installation, the release that is being installed. */
export function openShiftVersion(version: ClusterVersion | undefined): string | undefined {
  const completed = version?.status?.history?.find(({ state }) => state === "Completed");
  return completed?.version ?? version?.status?.desired?.version;
}

/** Only a certificate in a secret needs it. */
function judgeOpenShift(config: ClusterConfig, version: string | undefined): Problem[] {
  const parts = minorOf(version);
  if (endpointSecret(config) === undefined || parts === undefined || !isBefore(parts, OPENSHIFT)) return [];
  const cure =
    "upgrade the cluster to 4.19 or newer, or use profile https_spiffe, or issuer.type router or spire, which need no such Route";
  return [
    {
      path: "profile",
      message: `the cluster is OpenShift ${version ?? ""}, where a Route cannot take its certificate from a secret (spec.tls.externalCertificate); ${cure}`,
    },
  ];
}

function judgeRelease({ version }: ZtwimRelease): Problem[] {
  const parts = minorOf(version);
  if (parts === undefined || !isBefore(parts, ZTWIM_OLDEST)) return [];
  const cure = `have OLM upgrade it to 1.0 or 1.1 (channel stable-v1 of package ${ZTWIM.packageName})`;
  return [{ path: "context", message: `ZTWIM is of release ${version ?? ""}, before 1.0; ${cure}` }];
}

/** The operator creates its Route and OperatorCondition in a fixed namespace, wherever it runs itself. */
function judgeNamespace({ subscription, versions }: ReleaseState): Problem[] {
  const namespace = (subscription ?? versions[0])?.metadata?.namespace;
  if (namespace === undefined || namespace === OPERAND_NAMESPACE) return [];
  const cure = `install it in namespace ${OPERAND_NAMESPACE}: its federation Route can be made there alone`;
  return [{ path: "context", message: `ZTWIM's operator is installed in namespace ${namespace}; ${cure}` }];
}

/** Pure. For a stack that gives SPIRE no CAs of peers, or none any more. */
export function judgeProxy(config: ClusterConfig, { proxy, operator }: PlatformState): Problem[] {
  const lacking = lacksTrustedCas(config, { proxy, ...operator });
  return lacking === undefined ? [] : problem("context", lacking);
}

/** Without the class no router serves the Ingress that answers HTTP-01, and the challenge waits for ever. */
function judgeIngressClass(config: ClusterConfig, classes: readonly KubeObject[] | undefined): Problem[] {
  const issuer = certManagerIssuer(config);
  if (issuer?.type !== "acme" || classes === undefined) return [];
  const wanted = issuer.ingressClassName ?? ISSUER_DEFAULTS.ingressClassName;
  const there = classes.map(({ metadata }) => metadata?.name ?? "").sort();
  if (there.includes(wanted)) return [];
  const have = there.length === 0 ? "the cluster has none" : `the cluster has ${there.join(", ")}`;
  return [
    {
      path: "issuer.ingressClassName",
      message: `there is no IngressClass "${wanted}", so nothing would answer the ACME challenge; ${have}: name the class that the router serves`,
    },
  ];
}

type Minor = readonly [number, number];

function minorOf(version: string | undefined): Minor | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

const isBefore = (one: Minor, other: Minor): boolean => one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
