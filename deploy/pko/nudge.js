"use strict";
/**
 * Requests a run of each Stack that the operator leaves alone although a run would help: one that is stalled after failures,
 * and one whose pending peer has published its endpoint since. CronJob `nudge` runs it, from a ConfigMap; it is one file
 * without dependencies for that.
 */
const { readFileSync } = require("node:fs");

const REQUEST = "pulumi.com/reconciliation-request";
/** A stalled Stack is given this time to be corrected: each request makes the operator try four times again. */
const PAUSE_MS = 600_000;
/** Reasons that a new run, or a new pod, can cure. */
const CURABLE = ["UpdateFailed", "WorkspaceFailed"];

/**
 * Why a Stack should run now; undefined when the operator is busy with it, or nothing is to be gained.
 *
 * @param stacks all Stacks of the mesh in this cluster, by name
 * @param now in milliseconds
 */
function reasonToRun({ metadata, status = {} }, stacks, now) {
  const condition = (type) => status.conditions?.find((one) => one.type === type && one.status === "True");
  const stalled = condition("Stalled");
  if (stalled !== undefined) {
    const requested = Date.parse(metadata.annotations?.[REQUEST] ?? "");
    if (!CURABLE.includes(stalled.reason) || now - requested < PAUSE_MS) return undefined;
    return `stalled: ${stalled.reason}`;
  }
  if (condition("Reconciling") !== undefined) return undefined;
  const { pendingPeers = [] } = status.outputs ?? {};
  const published = pendingPeers.filter((name) => stacks.get(name)?.status?.outputs?.federation?.version !== undefined);
  return published.length === 0 ? undefined : `pending peers have published: ${published.join(", ")}`;
}

async function ask(method, path, body) {
  const { API_SERVER, TOKEN_FILE } = process.env;
  const answer = await fetch(`${API_SERVER}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${readFileSync(TOKEN_FILE, "utf8").trim()}`,
      ...(body && { "content-type": "application/merge-patch+json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  // A pod that is gone already will be replaced, too.
  if (!answer.ok && !(method === "DELETE" && answer.status === 404))
    throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function main() {
  const { NAMESPACE } = process.env;
  const stacksPath = `/apis/pulumi.com/v1/namespaces/${NAMESPACE}/stacks`;
  const { items } = await ask("GET", `${stacksPath}?labelSelector=app.kubernetes.io%2Fpart-of%3Dspire-federation`);
  const stacks = new Map(items.map((stack) => [stack.metadata.name, stack]));
  for (const [name, stack] of stacks) {
    const reason = reasonToRun(stack, stacks, Date.now());
    if (reason === undefined) continue;
    const annotations = { [REQUEST]: new Date().toISOString() };
    await ask("PATCH", `${stacksPath}/${name}?fieldManager=spire-federation-nudge`, { metadata: { annotations } });
    console.log(`${name}: requested a run; ${reason}`);
    if (!reason.endsWith("WorkspaceFailed")) continue;
    // The operator does not set up a failed workspace again as long as its pod is there.
    await ask("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/${name}-workspace-0`);
    console.log(`${name}: deleted pod ${name}-workspace-0`);
  }
}

main().catch((error) => {
  console.error(error.message, error.cause ?? "");
  process.exitCode = 1;
});
