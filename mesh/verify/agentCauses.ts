/** Why SPIRE agents cannot attest, by what their logs say (SPIRE 1.13 and 1.14, workload attestor k8s). Pure. */
import { word } from "../../components/shared/shell";
import { OPERAND_NAMESPACE as NAMESPACE, SPIRE_AGENT } from "../../components/shared/names";
import { oc, ocHere } from "./subjects";
import type { Place } from "../kernel/place";

export interface Cause {
  cause: string;
  cure: string;
}

/** @param node of the agent that says so */
export function agentCause(place: Place, error: string, node: string): Cause {
  const [, status] = /unexpected status code on pods response: (\d+)/.exec(error) ?? [];
  const logs = `${ocHere(place, `logs -l app.kubernetes.io/name=${SPIRE_AGENT} -c ${SPIRE_AGENT} --prefix`)} says more`;
  if (status === "403" || status === "401") {
    return {
      cause: `the kubelet answers ${status}: the agent's ServiceAccount may not get nodes/proxy`,
      cure:
        `give ClusterRole ${SPIRE_AGENT} its rule (get on nodes/proxy) and its ClusterRoleBinding back; ZTWIM's operator does so when it runs: ` +
        oc(place, `auth can-i get nodes/proxy --as=system:serviceaccount:${NAMESPACE}:${SPIRE_AGENT}`),
    };
  }
  if (/no such host|server misbehaving|lookup \S+/.test(error)) {
    return {
      cause: "the agent asks the kubelet by the node's name, and that name does not resolve on the node",
      cure: `let the cluster's DNS resolve the names of its nodes: ${oc(place, `get node ${word(node)} -o wide`)} shows name and address`,
    };
  }
  if (/x509|tls:/.test(error)) {
    return {
      cause: "the agent does not trust the kubelet's serving certificate",
      cure:
        "have the kubelet's certificate signed by the cluster's CA, or set workloadAttestors.workloadAttestorsVerification of the SpireAgent: " +
        oc(place, "get spireagent cluster -o yaml"),
    };
  }
  if (
    /refused|timeout|deadline exceeded|no route to host|unreachable/.test(error) &&
    error.includes("unable to perform request")
  ) {
    return {
      cause: "the agent does not reach the kubelet of its node",
      cure: `let the agents reach port 10250 of their own node: ${oc(place, `get node ${word(node)} -o wide`)} shows its address`,
    };
  }
  if (error.includes("max poll attempts")) {
    return {
      cause: "the kubelet does not list the container of a process",
      cure: `see that the pod still runs on that node, ${oc(place, `get pods -A --field-selector ${word(`spec.nodeName=${node}`)}`)}; ${logs}`,
    };
  }
  return { cause: "workloads cannot be attested", cure: logs };
}
