/** What a cluster has of a federation, however it was made. Only reads, and no secret. */
import { type ClusterReader, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import { contains } from "../../components/cluster/correction";
import { SECRET_READERS, secretReaderRules } from "../../components/routerSecretAccess";
import { ENDPOINT_NAMES } from "../../stacks/endpointNames";
import { definedOnly } from "../../stacks/fields";
import type { TrustObject } from "../../components/bundle/bundleMark";
import { readIssuer } from "../../components/certificates/certificateReadiness";
import type { FederationSpec } from "../../components/route/federation";
import { IssuerKind } from "../../components/certificates/issuer";
import * as names from "../../components/shared/names";
import type { SpireServerObject } from "../../components/spireServer/spireServerReadiness";
import { readIngressDomain } from "../trust/trustFacts";
import { look, type Looked } from "../kernel/looked";
import type { HeldBundle } from "../spire/bundle";
import type { SpireServer } from "../spire/spireServer";
import { readTrustObjects } from "../spire/trustObjects";

export interface Survey {
  /** Undefined where there is no ZTWIM. */
  trustDomain: string | undefined;
  ingressDomain: string | undefined;
  /** As the SpireServer has it. */
  federation: FederationSpec | undefined;
  trust: TrustObject[];
  /** The one that the endpoint's secret comes from. */
  certificate: LiveCertificate | undefined;
  /** The one that the Certificate refers to. */
  issuer: LiveIssuer | undefined;
  /** Names of the Role and the RoleBinding that let the router read the endpoint's secret and nothing else. */
  access: { role?: string; roleBinding?: string };
  /** Routes of the bundle endpoint beside the operator's. */
  routes: LiveRoute[];
  /** What the SPIRE server holds of other trust domains; asked only where a peer's trust cannot begin without. */
  held: Looked<HeldBundle[]>;
}

export interface LiveCertificate extends KubeObject {
  spec?: {
    secretName?: string;
    duration?: string;
    renewBefore?: string;
    dnsNames?: string[];
    issuerRef?: IssuerRef;
  };
}

export interface IssuerRef {
  group?: string;
  kind?: string;
  name?: string;
}

/** Whether it refers to an issuer of another project than cert-manager, which a stack's config cannot name. */
export const isExternal = ({ group, kind = "Issuer" }: IssuerRef): boolean =>
  (group || CERT_MANAGER_GROUP) !== CERT_MANAGER_GROUP || !Object.hasOwn(IssuerKind, kind);

const CERT_MANAGER_GROUP = names.CERT_MANAGER_API.replace(/\/.*/, "");

export interface LiveRoute extends KubeObject {
  spec?: { host?: string; to?: { name?: string }; port?: { targetPort?: string | number } };
}

export interface LiveIssuer extends KubeObject {
  spec?: Record<string, unknown>;
}

interface Ztwim extends KubeObject {
  spec?: { trustDomain?: string };
}

export async function survey(reader: ClusterReader, spire: Pick<SpireServer, "bundles">): Promise<Survey> {
  const [ztwim, server, ingressDomain, trust, all] = await Promise.all([
    reader.get<Ztwim>(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON),
    reader.get<SpireServerObject>(names.OPERATOR_API, "SpireServer", names.SINGLETON),
    readIngressDomain(reader),
    readTrustObjects(reader),
    ofNamespace<LiveRoute>(reader, names.ROUTE_API, "Route", ENDPOINT_NAMES.route),
  ]);
  const routes = all.filter(
    ({ metadata, spec }) =>
      metadata?.name !== names.FEDERATION_ROUTE &&
      spec?.to?.name === names.SPIRE_SERVER &&
      ["federation", names.BUNDLE_PORT].includes(spec.port?.targetPort ?? ""),
  );
  const federation = server?.spec?.federation;
  const secret = federation?.bundleEndpoint.httpsWeb?.servingCert?.externalSecretRef;
  const [certificate, access] =
    secret === undefined
      ? [undefined, {}]
      : await Promise.all([certificateOf(reader, secret), accessOf(reader, secret)]);
  const issuerRef = certificate?.spec?.issuerRef ?? {};
  const { kind = "Issuer", name } = issuerRef;
  const issuer =
    name === undefined || isExternal(issuerRef)
      ? undefined
      : await readIssuer<LiveIssuer>(reader, { kind: kind as IssuerKind, name });
  const profiles = [
    ...trust.map(({ spec }) => spec?.bundleEndpointProfile?.type),
    ...(federation?.federatesWith ?? []).map(({ bundleEndpointProfile }) => bundleEndpointProfile),
  ];
  const held = profiles.includes("https_spiffe") ? await look(() => spire.bundles()) : { seen: [] };
  return {
    trustDomain: ztwim?.spec?.trustDomain,
    ingressDomain,
    federation,
    trust,
    certificate,
    issuer,
    access,
    routes,
    held,
  };
}

/** Of the Certificates that write to that secret the procedure's, if it is one of them. */
async function certificateOf(reader: ClusterReader, secret: string): Promise<LiveCertificate | undefined> {
  const all = await ofNamespace<LiveCertificate>(
    reader,
    names.CERT_MANAGER_API,
    "Certificate",
    ENDPOINT_NAMES.certificate,
  );
  const writing = all.filter(({ spec }) => spec?.secretName === secret);
  return writing.find(({ metadata }) => metadata?.name === ENDPOINT_NAMES.certificate) ?? writing[0];
}

interface Role extends KubeObject {
  rules?: unknown;
}

interface RoleBinding extends KubeObject {
  roleRef?: { kind?: string; name?: string };
  subjects?: unknown;
}

async function accessOf(reader: ClusterReader, secret: string): Promise<Survey["access"]> {
  const [roles, bindings] = await Promise.all([
    ofNamespace<Role>(reader, names.RBAC_API, "Role", ENDPOINT_NAMES.role),
    ofNamespace<RoleBinding>(reader, names.RBAC_API, "RoleBinding", ENDPOINT_NAMES.roleBinding),
  ]);
  const granting = roles.filter(({ rules }) => contains(rules, secretReaderRules(secret)));
  const pairs = granting.flatMap(({ metadata }) =>
    bindings
      .filter(({ roleRef, subjects }) => roleRef?.name === metadata?.name && contains(subjects, SECRET_READERS))
      .map((binding) => definedOnly({ role: metadata?.name, roleBinding: binding.metadata?.name })),
  );
  return pairs.find(({ role }) => role === ENDPOINT_NAMES.role) ?? pairs[0] ?? {};
}

/** All objects of a kind where the operands are; the procedure's alone where not all may be listed. */
async function ofNamespace<T extends KubeObject>(
  reader: ClusterReader,
  apiVersion: string,
  kind: string,
  usual: string,
): Promise<T[]> {
  try {
    return await reader.list<T>(apiVersion, kind, names.OPERAND_NAMESPACE);
  } catch (error) {
    if (!(error instanceof Forbidden)) throw error;
    const one = await reader.get<T>(apiVersion, kind, usual, names.OPERAND_NAMESPACE);
    return one === undefined ? [] : [one];
  }
}
