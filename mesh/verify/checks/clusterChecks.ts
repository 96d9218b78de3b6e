/** MESH101 to MESH104: the cluster, before anything of the federation. Pure. */
import type { ClusterAccess } from "../../../components/cluster/access";
import { condition, describe } from "../../../components/cluster/conditions";
import { CERT_MANAGER } from "../../../components/shared/names";
import { certManagerIssuer, describeEndpoint } from "../../../stacks/endpoint";
import { type Check, failed, NotSeen, ok, see, skipped } from "../check";
import { fact, type MemberView, oc, ocHere } from "../subjects";

/** What leads to the cluster again: a login, another kubeconfig or context, or what `oc` says of the network. */
function wayIn(access: ClusterAccess, because: string): string {
  if (/cannot be read: .*name the file|is not in the kubeconfig|has no current context/.test(because))
    return "set context and kubeconfig in the stack file, or $KUBECONFIG, to what leads to this cluster";
  return /oc login \S+/.exec(because)?.[0] ?? oc(access, "version");
}

export const reachable: Check<Pick<MemberView, "version" | keyof ClusterAccess>> = {
  code: "MESH101",
  title: "the API server answers",
  source: "the API server",
  about:
    "Everything else of the cluster is seen through its API server. When it doesn't answer, or the kubeconfig has no such " +
    "context, all other checks of the member are skipped; those of other members are not. That is unknown, and not a failure: a login " +
    "that has expired or a network that is down says nothing of the cluster.",
  judge: ({ version, ...access }) => {
    if ("because" in version) {
      const { because: evidence, forbidden } = version;
      return { state: "unknown", evidence, cure: wayIn(access, evidence), ...(forbidden && { forbidden }) };
    }
    const { kubeconfig, context = "" } = access;
    return ok(`Kubernetes ${version.seen}, context ${context}${kubeconfig === undefined ? "" : ` of ${kubeconfig}`}`);
  },
};

export const clusterChecks: readonly Check<MemberView>[] = [
  reachable,
  {
    code: "MESH102",
    title: "cert-manager runs",
    source: "the API server",
    about:
      "OLM has installed the operator's version, or somebody has installed cert-manager otherwise, and its Deployments are " +
      "rolled out. Without it the endpoint's certificate stays what it is, until it expires.",
    verifications: [1],
    needs: ["MESH101"],
    judge: (view) => {
      if (certManagerIssuer(view.config) === undefined) return skipped(noCertManager(view.config));
      const said = fact(view, "certManager");
      if (said.state === "ready") return ok("its operator's version Succeeded, its Deployments are rolled out");
      const { namespace, operandNamespace } = CERT_MANAGER;
      const look = oc(view, `get clusterserviceversions.operators.coreos.com,deployments,pods -n ${namespace}`);
      return failed(said.because, `${look} && ${oc(view, `get deployments,pods -n ${operandNamespace}`)}`);
    },
  },
  {
    code: "MESH103",
    title: "ZTWIM has the stack's trust domain",
    source: "ZeroTrustWorkloadIdentityManager cluster",
    about:
      "Identities are made in the trust domain of ZeroTrustWorkloadIdentityManager/cluster. A stack with another one is of " +
      "another cluster, or its file is wrong.",
    needs: ["MESH101"],
    judge: (view) => {
      const { trustDomain } = view.config;
      const live = fact(view, "ztwim");
      if (live === undefined) {
        return failed(
          "there is no ZeroTrustWorkloadIdentityManager cluster",
          "install the Zero Trust Workload Identity Manager and create it, or choose another context",
        );
      }
      if (live.spec?.trustDomain === trustDomain) return ok(trustDomain);
      const evidence = `it has ${live.spec?.trustDomain ?? "none"}, the stack has ${trustDomain}`;
      const cure = `set trustDomain or context in Pulumi.${view.member}.yaml to those of one cluster`;
      return { state: "failed", evidence, cure, stays: true };
    },
  },
  {
    code: "MESH104",
    title: "ZTWIM's operator applies changes",
    source: "conditions of SpireServer cluster",
    about:
      "With CREATE_ONLY_MODE the operator makes what is missing and changes nothing that is there: whatever a stack sets in the " +
      "SpireServer has no effect, and hand-made changes of its objects stay.",
    needs: ["MESH101"],
    judge: (view) => {
      // Release 1.0.0 never takes ZeroTrustWorkloadIdentityManager's condition back; each operand's own is right.
      const object = fact(view, "server") ?? fact(view, "ztwim");
      if (object === undefined)
        throw new NotSeen("there is neither a SpireServer nor a ZeroTrustWorkloadIdentityManager");
      if (object.status?.conditions === undefined) throw new NotSeen("the operator has written no condition yet");
      const found = condition(object, "CreateOnlyMode");
      if (found?.status !== "True") return ok("it is not in create-only mode");
      const edit = ocHere(view, "edit subscriptions.operators.coreos.com");
      return failed(describe(found), `take CREATE_ONLY_MODE out of the env of the operator's Subscription: ${edit}`);
    },
  },
];

/** Said of what only an endpoint with a certificate of cert-manager has. */
export const noCertManager = (config: MemberView["config"]): string =>
  `the endpoint is ${describeEndpoint(config)}, and has no certificate of cert-manager`;

/** Where the bundle endpoint is; not seen when the ingress domain is not. */
export const hostOf = (view: MemberView): string => see(view.route).host;
