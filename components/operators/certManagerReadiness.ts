import type { ClusterAccess } from "../cluster/access";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import type { InstalledOperator } from "./inspectCertManager";
import { CERT_MANAGER } from "../shared/names";
import { lookAtOperator, SUBSCRIPTION_API } from "./olm";
import { firstNotReady, ready, waiting, type Verdict } from "../waiting/readiness";
import { podsReadiness, rolloutReadiness, type Pod, type Workload } from "../waiting/workloads";

/** OLM looks at a changed Subscription within a second or two, and says what was true of the one before until then. */
const NOTICE_MS = 5000;
/** In a namespace that is not cert-manager's own, only its three parts count. */
const PARTS = "app.kubernetes.io/name in (cert-manager, cainjector, webhook)";
const WEBHOOK = "cert-manager-webhook";

interface WebhookConfiguration extends KubeObject {
  webhooks?: { clientConfig?: { caBundle?: string } }[];
}

/** What runs of cert-manager. */
export interface OperandState {
  namespace: string;
  deployments: readonly Workload[];
  pods: readonly Pod[];
  webhook: WebhookConfiguration | undefined;
  /** Its operator brought it, and brings the webhook too; by hand, people also install it without. */
  operated: boolean;
}

/**
 * `lookAtCertManager`; the first look at a Subscription that was changed since it was inspected comes after OLM's.
 */
export function watchCertManager(reader: ClusterReader): (installed: InstalledOperator) => Promise<Verdict> {
  let known = false;
  return async (installed) => {
    if (installed.state === "ours" && !known) {
      const { namespace, subscription } = CERT_MANAGER;
      const found = await reader.get(SUBSCRIPTION_API, "Subscription", subscription, namespace);
      known = true;
      if (found?.metadata?.generation !== installed.generation) {
        await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
      }
    }
    return lookAtCertManager(reader, installed);
  };
}

/** Whether cert-manager can be used: the operator that brings it, if there is one, and then its own pods. */
export async function lookAtCertManager(reader: ClusterReader, installed: InstalledOperator): Promise<Verdict> {
  const operator = await lookAtOperatorOf(reader, installed);
  if (operator.state !== "ready") {
    return operator;
  }
  const [namespace, selector] = placeOf(installed);
  const [deployments, pods, webhook] = await Promise.all([
    reader.list<Workload>("apps/v1", "Deployment", namespace, selector),
    reader.list<Pod>("v1", "Pod", namespace, selector),
    reader.get<WebhookConfiguration>("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", WEBHOOK),
  ]);
  const operated = installed.state !== "plain";
  return firstNotReady(
    () => operator,
    () => operandReadiness({ namespace, deployments, pods, webhook, operated }, reader.access),
  );
}

/** The same without pods and webhook, for somebody who may look at workloads only. */
export async function lookAtDeployments(reader: ClusterReader, installed: InstalledOperator): Promise<Verdict> {
  const operator = await lookAtOperatorOf(reader, installed);
  if (operator.state !== "ready") {
    return operator;
  }
  const [namespace, selector] = placeOf(installed);
  return deploymentsReadiness(namespace, await reader.list<Workload>("apps/v1", "Deployment", namespace, selector));
}

async function lookAtOperatorOf(reader: ClusterReader, installed: InstalledOperator): Promise<Verdict> {
  if (installed.state === "plain") {
    return ready;
  }
  const { namespace, subscription: name } = CERT_MANAGER;
  return lookAtOperator(reader, installed.state === "foreign" ? installed.subscription : { namespace, name });
}

function placeOf(installed: InstalledOperator): [namespace: string, selector: string | undefined] {
  return installed.state === "plain" ? [installed.namespace, PARTS] : [CERT_MANAGER.operandNamespace, undefined];
}

function deploymentsReadiness(namespace: string, deployments: readonly Workload[]): Verdict {
  return firstNotReady(
    () => (deployments.length === 0 ? waiting(`namespace ${namespace} has no Deployment yet`) : ready),
    ...deployments.map((deployment) => () => runningReadiness(deployment)),
  );
}

/** Somebody who scales it to nothing has it rolled out, and not running. */
function runningReadiness(deployment: Workload): Verdict {
  return deployment.spec?.replicas === 0
    ? waiting(`Deployment ${deployment.metadata?.name ?? ""} is scaled to 0`)
    : rolloutReadiness("Deployment", deployment);
}

/** Steps 2 and 3: every pod runs. And the webhook answers, because the API server asks it about every Issuer. */
export function operandReadiness(state: OperandState, access: ClusterAccess): Verdict {
  const { namespace, deployments, pods } = state;
  return firstNotReady(
    () => podsReadiness(pods, access),
    () => deploymentsReadiness(namespace, deployments),
    () => webhookReadiness(state),
  );
}

function webhookReadiness({ namespace, deployments, webhook, operated }: OperandState): Verdict {
  if (webhook === undefined) {
    // Issuers made before it is there are accepted, and refused from then on until it answers.
    return operated ? waiting(`ValidatingWebhookConfiguration ${WEBHOOK} is not there yet`) : ready;
  }
  if (!deployments.some((deployment) => deployment.metadata?.name === WEBHOOK)) {
    return waiting(`Deployment ${WEBHOOK} is not there yet in namespace ${namespace}`);
  }
  const trusted = webhook.webhooks?.every(({ clientConfig }) => Boolean(clientConfig?.caBundle)) ?? false;
  return trusted ? ready : waiting(`ValidatingWebhookConfiguration ${WEBHOOK} has no CA yet`);
}
