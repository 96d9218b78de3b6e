/** Why a workload doesn't do what it is made for, as the cluster has it. Asked before everything is taken away. */
import type { KubeObject } from "../../../components/cluster/cluster";
import { describe } from "../../../components/cluster/conditions";
import { ROUTE_API } from "../../../components/shared/names";
import type { Route } from "../../../components/route/routeReadiness";
import { type Pod, podsReadiness } from "../../../components/waiting/workloads";
import type { ProbeCluster } from "./cluster";
import { PROBE } from "./probeObjects";

interface Event extends KubeObject {
  type?: string;
  message?: string;
}

/** What keeps the pod from running: its own status, and the last warnings of whoever has to do with it. */
export async function podTrouble(cluster: ProbeCluster): Promise<string> {
  const [pod, events] = await Promise.all([
    cluster.get<Pod>("v1", "Pod", PROBE, PROBE),
    cluster.list<Event>("v1", "Event", PROBE),
  ]);
  const warnings = events.flatMap(({ type, message }) =>
    type === "Warning" && message !== undefined ? [message] : [],
  );
  const verdict = pod === undefined ? undefined : podsReadiness([pod], cluster.access);
  const state = verdict === undefined ? "it is gone" : verdict.state === "ready" ? "it runs" : verdict.because;
  return [state.replace(/; "oc .*$/, ""), ...new Set(warnings.slice(-2))].join("; ");
}

/** Why the router doesn't serve the Route; nothing when it does. */
export async function routeTrouble(cluster: ProbeCluster): Promise<string | undefined> {
  const route = await cluster.get<Route>(ROUTE_API, "Route", PROBE, PROBE);
  const admissions = (route?.status?.ingress ?? []).flatMap(({ conditions = [] }) =>
    conditions.filter(({ type }) => type === "Admitted"),
  );
  if (admissions.some(({ status }) => status === "True")) return undefined;
  const [refused] = admissions;
  return refused === undefined ? "no router has seen the Route" : `the router refuses the Route: ${describe(refused)}`;
}
