/** What a config comes to, by the keys that say it. */
import { ISSUER_DEFAULTS } from "../components/certificates/issuer";
import { kubeconfigName } from "../components/cluster/kubeconfig";
import type { ClusterConfig } from "./config";
import { certManagerIssuer } from "./endpoint";

/**
 * The values that hold, defaults included; undefined where the cluster decides. `peers` and `spireServer`, which are
 * written as they hold, are left out.
 */
export function configValues(config: ClusterConfig): Record<string, unknown> {
  const { context, trustDomain, profile, probe, federatesWith, trustPeerCas, names, certManager } = config;
  const { endpointHost: host, endpointCa: ca, refreshHint, routeLabels } = config;
  return {
    kubeconfig: kubeconfigName(config),
    context,
    trustDomain,
    profile,
    probe,
    federatesWith,
    trustPeerCas,
    names,
    certManager,
    issuer: {
      ...issuerDefaults(config),
      ...config.issuer,
      ...(certManagerIssuer(config) === undefined ? {} : config.certificateTimes),
    },
    endpoint: { host, ca, refreshHint, routeLabels },
  };
}

function issuerDefaults({ issuer }: ClusterConfig): Record<string, unknown> {
  const { acmeServer, ingressClassName, caSecretName } = ISSUER_DEFAULTS;
  if (issuer.type === "acme") return { server: acmeServer, ingressClassName };
  if (issuer.type === "ca") return issuer.selfSigned === true ? {} : { secretName: caSecretName };
  return {};
}
