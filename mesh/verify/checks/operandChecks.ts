/** MESH136 to MESH139: the SPIRE agents, and what ZTWIM runs beside them. Pure. */
import { CSI_DRIVER, OIDC_PROVIDER, SPIRE_AGENT } from "../../../components/shared/names";
import { rolloutReadiness, whyNotReady } from "../../../components/waiting/workloads";
import { agentCause } from "../agentCauses";
import { type Check, failed, type Judgement, note, NotSeen, ok, skipped, warn } from "../check";
import type { AgentPod, DaemonSet } from "../memberFacts";
import { counted, someOf } from "../../kernel/text";
import { span } from "../../kernel/times";
import { askOperator, fact, type MemberView, oc, ocHere } from "../subjects";

/** More agents than these are counted, and not named. */
const NAMED = 3;

export const operandChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH136",
    title: "the SPIRE agents run",
    source: `DaemonSet ${SPIRE_AGENT}`,
    about:
      "On every node that is to have one there is an agent that is ready; workloads get identities and bundles from it. That an agent " +
      "was restarted is no fault: each is once, when it starts before the trust domain's bundle is there. As long as three quarters of the " +
      "agents are ready it is a warning, since nodes come and go.",
    verifications: [8],
    needs: ["MESH134"],
    judge: (view) => judgeNodes(view, SPIRE_AGENT, fact(view, "agents"), notReady(view)),
  },
  {
    code: "MESH137",
    title: "the SPIRE agents attest workloads",
    source: "logs of the SPIRE agents",
    about:
      "An agent that is ready may still refuse every workload its identity: it asks the kubelet of its node which pod a process belongs " +
      "to, and where that fails it says so in its log alone. The last three minutes count: an agent attests itself about once a minute, " +
      "so a fault that lasts is in them, and one that is over is not. A workload that no registration entry is for is a note, and no " +
      "fault of the agent.",
    verifications: [8],
    needs: ["MESH136"],
    judge: (view) => {
      const agents = fact(view, "agentPods");
      if (agents.length === 0) throw new NotSeen(`no pod has the label app.kubernetes.io/name=${SPIRE_AGENT}`);
      const failing = agents.flatMap((agent) => {
        const error = seen(agent)?.failed;
        return error === undefined ? [] : [{ agent, ...error }];
      });
      if (failing.length > 0) return judgeFailing(view, failing);
      const unseen = agents.flatMap(({ attesting }) => ("because" in attesting ? attesting.because : []));
      if (unseen[0] !== undefined) throw new NotSeen(unseen[0]);
      const unregistered = agents.flatMap((agent) => {
        const found = seen(agent)?.unregistered;
        return found === undefined
          ? []
          : [`a process (pid ${found.pid}) on ${nodeOf(agent)} has no identity, ${ago(view, found.at)}`];
      });
      if (unregistered.length === 0) return ok(`no error of ${counted(agents.length, "agent")} in the last minutes`);
      return note(
        `${someOf(unregistered, NAMED)}: no registration entry is for it`,
        `if it is to have one, let a ClusterSPIFFEID select its pod: ${oc(view, "get clusterspiffeids")}`,
      );
    },
  },
  {
    code: "MESH138",
    title: "the SPIFFE CSI driver runs",
    source: `DaemonSet ${CSI_DRIVER}`,
    about:
      "By it workloads mount the agent's socket. On a node without it no new pod that mounts it starts. Without a SpiffeCSIDriver " +
      "cluster there is none, and workloads find the socket in another way.",
    verifications: [8],
    needs: ["MESH101"],
    judge: (view) => {
      const { asked, live } = fact(view, "csiDriver");
      if (!asked) return skipped("there is no SpiffeCSIDriver cluster");
      return judgeNodes(view, CSI_DRIVER, live);
    },
  },
  {
    code: "MESH139",
    title: "the OIDC discovery provider runs",
    source: `Deployment ${OIDC_PROVIDER}`,
    about:
      "It serves the trust domain's JWT keys to those who know OIDC and not SPIFFE. It is a workload itself: without an agent that " +
      "attests, it doesn't become ready. Only where there is a SpireOIDCDiscoveryProvider cluster.",
    verifications: [8],
    needs: ["MESH101"],
    judge: (view) => {
      const { asked, live } = fact(view, "oidcProvider");
      if (!asked) return skipped("there is no SpireOIDCDiscoveryProvider cluster");
      if (live === undefined) return failed("it is not there", askOperator(view, "spireoidcdiscoveryprovider"));
      const said = rolloutReadiness("Deployment", live);
      if (said.state === "ready") return ok("all of its replicas are ready");
      return failed(said.because, ocHere(view, `describe deployment ${OIDC_PROVIDER}`));
    },
  },
];

/** A node that drains or is updated is no fault of the member; when more are missing something is wrong. */
const TOLERATED_SHARE = 0.25;

function judgeNodes(view: MemberView, name: string, set: DaemonSet | undefined, more: string[] = []): Judgement {
  const { desiredNumberScheduled: desired = 0, numberReady: ready = 0 } = set?.status ?? {};
  const count = set === undefined ? "it is not there" : `${ready} of ${desired} ready`;
  if (desired > 0 && ready === desired) return ok(count);
  const say = desired > 0 && desired - ready <= desired * TOLERATED_SHARE ? warn : failed;
  return say([count, ...more].join("; "), ocHere(view, `describe daemonset ${name}`));
}

/** Which of them, and on which node; nothing where the pods could not be seen. */
function notReady({ facts }: MemberView): string[] {
  if ("because" in facts || "because" in facts.seen.agentPods) return [];
  const some = facts.seen.agentPods.seen.flatMap((agent) => {
    const why = whyNotReady(agent.pod);
    return why === undefined ? [] : [`${nameOf(agent)}: ${why}`];
  });
  return some.length === 0 ? [] : [someOf(some, NAMED)];
}

type Failing = { agent: AgentPod; at: Date; error: string };

/** Agents that fail for one reason are said once. */
function judgeFailing(view: MemberView, failing: readonly Failing[]): Judgement {
  const causes = new Map<string, { cure: string; of: Failing[] }>();
  for (const one of failing) {
    const { cause, cure } = agentCause(view, one.error, nodeOf(one.agent));
    const known = causes.get(cause);
    if (known === undefined) causes.set(cause, { cure, of: [one] });
    else known.of.push(one);
  }
  const evidence = [...causes].map(([cause, { of }]) => {
    const [last] = [...of].sort((a, b) => b.at.getTime() - a.at.getTime());
    const said = last === undefined ? "" : ` (${ago(view, last.at)}: ${last.error})`;
    const who = of.map(({ agent }) => nameOf(agent));
    return `${someOf(who, NAMED)}: ${cause}${said}`;
  });
  return failed(evidence.join("\n"), [...causes.values()].map(({ cure }) => cure).join("\n"));
}

const seen = ({ attesting }: AgentPod) => ("seen" in attesting ? attesting.seen : undefined);
const nodeOf = ({ pod }: AgentPod): string => pod.spec?.nodeName ?? "no node";
const nameOf = (agent: AgentPod): string => `${agent.pod.metadata?.name ?? ""} on ${nodeOf(agent)}`;
const ago = (view: MemberView, at: Date): string => `${span(view.now.getTime() - at.getTime())} ago`;
