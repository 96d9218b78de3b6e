/** What a cluster has of a federation, however it was made. Only reads, and no secret. */
import type { ClusterReader, KubeObject } from "../../components/cluster";
import { TRUST_KIND, type TrustObject } from "../../components/bundleMark";
import { readIssuer } from "../../components/certificateReadiness";
import type { FederationSpec } from "../../components/federationSpec";
import type { IssuerKind } from "../../components/issuer";
import * as names from "../../components/names";
import { readIngressDomain } from "../drift/memberReading";

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
}

export interface LiveCertificate extends KubeObject {
  spec?: {
    secretName?: string;
    duration?: string;
    renewBefore?: string;
    dnsNames?: string[];
    issuerRef?: { kind?: string; name?: string };
  };
}

export interface LiveIssuer extends KubeObject {
  spec?: Record<string, unknown>;
}

interface Ztwim extends KubeObject {
  spec?: { trustDomain?: string };
}

interface SpireServerObject extends KubeObject {
  spec?: { federation?: FederationSpec };
}

export async function survey(reader: ClusterReader): Promise<Survey> {
  const [ztwim, server, ingressDomain, trust] = await Promise.all([
    reader.get<Ztwim>(names.OPERATOR_API, "ZeroTrustWorkloadIdentityManager", names.SINGLETON),
    reader.get<SpireServerObject>(names.OPERATOR_API, "SpireServer", names.SINGLETON),
    readIngressDomain(reader),
    reader.list<TrustObject>(names.SPIRE_API, TRUST_KIND),
  ]);
  const federation = server?.spec?.federation;
  const secret = federation?.bundleEndpoint.httpsWeb?.servingCert?.externalSecretRef;
  const certificate = secret === undefined ? undefined : await certificateOf(reader);
  const { kind = "Issuer", name } = certificate?.spec?.issuerRef ?? {};
  const issuer =
    name === undefined ? undefined : await readIssuer<LiveIssuer>(reader, { kind: kind as IssuerKind, name });
  return { trustDomain: ztwim?.spec?.trustDomain, ingressDomain, federation, trust, certificate, issuer };
}

const certificateOf = (reader: ClusterReader): Promise<LiveCertificate | undefined> =>
  reader.get(names.CERT_MANAGER_API, "Certificate", names.CERTIFICATE_SECRET, names.OPERAND_NAMESPACE);
