/**
 * Takes the peers that a stack has listed out of the SpireServer, which stays.
 *
 * Run by Pulumi when it deletes what the stack has patched, which is at a destroy (see spireFederationServer.ts).
 * `TRUST_DOMAINS` are the peers', and empty where none is listed. What others list stays, and is not this program's afterwards.
 */
import type { ClusterAccess } from "../cluster/access";
import { connect, connectClient } from "../cluster/connect";
import { FIELD_MANAGER, OPERATOR_API, SINGLETON } from "../shared/names";
import { mergeUnchanged, runRemoval } from "../cluster/removalScript";
import type { FederatedServer } from "./foreignFederation";

/** The operator writes the status of the SpireServer often, and each time it is another version. */
const ATTEMPTS = 20;

async function remove(access: ClusterAccess): Promise<void> {
  const peers = (process.env["TRUST_DOMAINS"] ?? "").split(" ");
  const [client, reader] = [connectClient(access), connect(access)];
  for (let left = ATTEMPTS; ; left--) {
    const live = await reader.get<FederatedServer>(OPERATOR_API, "SpireServer", SINGLETON);
    const listed = live?.spec?.federation?.federatesWith ?? [];
    const others = listed.filter(({ trustDomain }) => !peers.includes(trustDomain));
    if (others.length === listed.length) return;
    const patch = {
      apiVersion: OPERATOR_API,
      kind: "SpireServer",
      metadata: { name: SINGLETON, resourceVersion: live?.metadata?.resourceVersion ?? "" },
      // The CRD refuses an empty list.
      spec: { federation: { federatesWith: others.length === 0 ? null : others } },
    };
    if (await mergeUnchanged(client, patch, `${FIELD_MANAGER}-removal`)) break;
    if (left === 1) throw new Error("SpireServer cluster keeps changing, so that its peers cannot be taken out of it");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  process.stderr.write(
    `${peers.join(", ")} taken out of federatesWith; the bundle endpoint, its certificate and the router's access to it stay\n`,
  );
}

runRemoval(remove);
