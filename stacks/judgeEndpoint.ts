/** What a cluster's endpoint lets nobody change, and what the config asks of it in vain. Pure. */
import { ACME_IS_PUBLIC } from "../components/spireServer/bundleEndpoint";
import { accessOf, oc } from "../components/cluster/access";
import type { KubeObject } from "../components/cluster/cluster";
import { owners } from "../components/cluster/fieldOwners";
import { FIELD_MANAGER } from "../components/shared/names";
import { problem, type Problem } from "../components/shared/problem";
import { word } from "../components/shared/shell";
import type { ClusterConfig } from "./config";
import { certManagerIssuer, checkTerms, type LiveEndpoint, type SpireIssuer } from "./endpoint";
import { ENDPOINT_NAMES, nameKeys } from "./endpointNames";

/**
 * The CRD forbids a change of the profile, and a change between acme (SPIRE has the certificate) and servingCert (the router).
 *
 * @param keeps whether the stack lets the router read a secret that somebody else keeps
 */
export function judgeEndpoint(config: ClusterConfig, live: LiveEndpoint | undefined, keeps: boolean): Problem[] {
  const { profile, issuer } = config;
  if (live?.profile !== undefined && live.profile !== profile) {
    const cure = `set "${live.profile}", or recreate the SpireServer`;
    return problem("profile", `the SpireServer serves with "${live.profile}", which it can never change; ${cure}`);
  }
  if (profile === "https_spiffe") return [];
  const bySpire = issuer.type === "spire";
  if (live?.httpsWeb?.acme !== undefined && !bySpire) {
    const cure = "take issuer out to keep that, or recreate the SpireServer";
    return problem("issuer", `the SpireServer gets its certificate by ACME itself and can never change that; ${cure}`);
  }
  if (live?.httpsWeb?.servingCert !== undefined && bySpire) {
    const cure = "choose another issuer.type, or recreate the SpireServer";
    return problem("issuer.type", `the router presents the SpireServer's certificate, which can never change; ${cure}`);
  }
  return [...(bySpire ? judgeSpireIssuer(config, issuer) : []), ...judgeUnused(config, keeps)];
}

const SECRET = ["spec", "federation", "bundleEndpoint", "httpsWeb", "servingCert", "externalSecretRef"];

/** A secret that somebody else has set stays when the stack asks for none, and the router would present that. */
export function judgeForeignSecret(config: ClusterConfig, server: KubeObject | undefined): Problem[] {
  const others = owners(server, SECRET).filter((manager) => manager !== FIELD_MANAGER);
  if (config.issuer.type !== "router" || config.profile === "https_spiffe" || others.length === 0) return [];
  const patch = JSON.stringify([{ op: "remove", path: `/${SECRET.join("/")}` }]);
  const cure = oc(accessOf(config), `patch spireservers.operator.openshift.io cluster --type json -p ${word(patch)}`);
  return problem(
    "issuer.type",
    `is router, but ${others.join(" and ")} has set the certificate's secret in the SpireServer; take it out: ${cure}`,
  );
}

/** These checks also apply to values from the cluster. */
function judgeSpireIssuer({ probe }: ClusterConfig, issuer: SpireIssuer): Problem[] {
  return [...checkTerms("issuer", issuer), ...(probe === "cluster" ? problem("probe", ACME_IS_PUBLIC) : [])];
}

/** Keys without effect, because cert-manager does not issue the certificate. */
function judgeUnused(config: ClusterConfig, keeps: boolean): Problem[] {
  if (certManagerIssuer(config) !== undefined) return [];
  const { certManager, issuer, names } = config;
  const used = ["route", ...(issuer.type === "secret" ? ["secret"] : []), ...(keeps ? ["role", "roleBinding"] : [])];
  const keys = [
    ...nameKeys
      .filter((key) => !used.includes(key))
      .filter((key) => names[key] !== ENDPOINT_NAMES[key])
      .map((key) => `names.${key}`),
    ...Object.keys(certManager).map((key) => `certManager.${key}`),
  ];
  const because = `has no effect with issuer.type ${issuer.type}, which needs no cert-manager; remove the key`;
  return keys.flatMap((key) => problem(key, because));
}
