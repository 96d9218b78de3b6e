/** MESH152: whether NetworkPolicies stand between a SPIRE server and its peers, before the first up and after it. Pure. */
import type { ClusterAccess } from "../../../components/cluster/access";
import type { KubeObject } from "../../../components/cluster/cluster";
import { OPERAND_NAMESPACE } from "../../../components/shared/names";
import { POD } from "../../spire/serverCommands";
import { type Check, ok, skipped, warn } from "../check";
import { inTheWay, type NetworkPolicy } from "../networkPolicies";
import { oc } from "../subjects";

export interface Isolation {
  policies: readonly NetworkPolicy[];
  /** The SPIRE server's. */
  pod: KubeObject | undefined;
  /** Ports of the peers' endpoints; none are known before the first up. */
  ports: readonly number[];
}

/** @throws NotSeen (from `isolation`) for what could not be read */
export const networkPolicyCheck = <View extends ClusterAccess>(isolation: (view: View) => Isolation): Check<View> => ({
  code: "MESH152",
  title: "NetworkPolicies let the router in and the SPIRE server out",
  source: `NetworkPolicies of namespace ${OPERAND_NAMESPACE}`,
  about:
    "Where a NetworkPolicy isolates the SPIRE server, another one has to let OpenShift's router reach port 8443, or no peer gets this bundle, " +
    "and let the SPIRE server reach the ports of its peers' endpoints elsewhere, mostly 443, or it gets no peer's. It is a warning, since an " +
    "AdminNetworkPolicy may let through what these do not, and is not read; whether it works is seen at the endpoint and by the polls.",
  verifications: [5],
  needs: ["MESH101"],
  judge: (view) => {
    const { policies, pod, ports } = isolation(view);
    if (pod === undefined) return skipped(`there is no pod ${POD}, whose labels say which of them are about it`);
    const asked = ports.length === 0 ? [HTTPS_PORT] : [...new Set(ports)].sort((a, b) => a - b);
    const { ofRouters, ofPeers, closed } = inTheWay(policies, pod.metadata?.labels ?? {}, asked);
    const found = [
      ...(ofRouters.length > 0 ? [`${ofRouters.join(", ")}: no rule lets the router reach port 8443`] : []),
      ...(ofPeers.length > 0
        ? [`${ofPeers.join(", ")}: no rule lets the SPIRE server reach port ${closed.join(", ")} elsewhere`]
        : []),
    ];
    if (found.length === 0) return ok("none is in the way");
    const rules = [...(ofRouters.length > 0 ? ["ingress"] : []), ...(ofPeers.length > 0 ? ["egress"] : [])];
    const others = closed.filter((port) => port !== HTTPS_PORT);
    const first = others.length > 0 ? `add port ${others.join(", ")} to docs/network/egress.yaml; ` : "";
    return warn(
      found.join("; "),
      first + rules.map((rule) => oc(view, `apply -f docs/network/${rule}.yaml`)).join(" && "),
    );
  },
});

/** The port that most endpoints have. */
const HTTPS_PORT = 443;
