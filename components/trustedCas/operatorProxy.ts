/** ZTWIM's operator behind a proxy, which reconciles nothing until a variable names a ConfigMap of trusted CAs. Pure. */
import { type ClusterAccess, oc } from "../cluster/access";
import type { KubeObject } from "../cluster/cluster";
import type { Subscription } from "../operators/olm";
import { OPERAND_NAMESPACE, TRUSTED_CA_ENV, ZTWIM } from "../shared/names";
import { word } from "../shared/shell";
import { TRUSTED_CA } from "../spireServer/operatorRefusal";
import { type OperatorDeployment, operatorEnv } from "../spireServer/ztwimRelease";
import { PEER_CAS_PREFIX } from "./trustedCas";

export interface ProxyConfig extends KubeObject {
  status?: { httpProxy?: string; httpsProxy?: string };
}

/** Undefined: the object is not there, or cannot be read. */
export interface ProxiedOperator {
  proxy: ProxyConfig | undefined;
  subscription: Subscription | undefined;
  deployment: OperatorDeployment | undefined;
}

/**
 * What the operator lacks, and the commands that give it; undefined for nothing. The peers' CAs do not count: who asks is
 * about to run without them.
 */
export function lacksTrustedCas(
  access: ClusterAccess,
  { proxy, subscription, deployment }: ProxiedOperator,
): string | undefined {
  const env = operatorEnv(deployment);
  const asked = subscription?.spec?.config?.env ?? [];
  const is = (values: Map<string, string>, ...keys: string[]): boolean =>
    keys.some((key) => (values.get(key) ?? "") !== "");
  // OLM gives the cluster's proxy to the operator unless the Subscription has one of its own, be it an empty one.
  const clusters = new Map(Object.entries(proxy?.status ?? {}));
  const proxied =
    deployment === undefined ? is(clusters, "httpProxy", "httpsProxy") : is(env, "HTTP_PROXY", "HTTPS_PROXY");
  const index = asked.findIndex(({ name }) => name === TRUSTED_CA_ENV);
  const named = [env.get(TRUSTED_CA_ENV), asked[index]?.value].filter((name) => name !== undefined && name !== "");
  if (!proxied || named.some((name) => name?.startsWith(PEER_CAS_PREFIX) === false)) return undefined;
  const { name = ZTWIM.packageName, namespace = OPERAND_NAMESPACE } = subscription?.metadata ?? {};
  const entry = `{"name":"${TRUSTED_CA_ENV}","value":"trusted-ca"}`;
  // A merge would drop what is in the list.
  const patch =
    asked.length === 0
      ? `--type merge -p '{"spec":{"config":{"env":[${entry}]}}}'`
      : index === -1
        ? `--type json -p '[{"op":"add","path":"/spec/config/env/-","value":${entry}}]'`
        : `--type json -p '[{"op":"replace","path":"/spec/config/env/${index}","value":${entry}}]'`;
  const commands = [
    oc(access, `create configmap trusted-ca -n ${word(namespace)}`),
    oc(access, `label configmap trusted-ca -n ${word(namespace)} config.openshift.io/inject-trusted-cabundle=true`),
    oc(access, `patch subscriptions.operators.coreos.com ${word(name)} -n ${word(namespace)} ${patch}`),
  ];
  const has =
    named.length === 0
      ? `but no ${TRUSTED_CA_ENV}, so it reconciles nothing`
      : `and its ${TRUSTED_CA_ENV} names the CAs of peers, which would be deleted; without the variable it reconciles nothing`;
  return `ZTWIM's operator has a proxy (cluster-wide, or of its Subscription) ${has}; ${TRUSTED_CA}:\n    ${commands.join("\n    ")}`;
}
