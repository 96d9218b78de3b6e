/** Members, and what is read of them. */
import type { MeshMember } from "../../../mesh/members/members";
import type { Published } from "../../../mesh/pulumi/workspace";
import type { Traces } from "../../../mesh/remove/traces";
import { configOf } from "../../stacks/fixtures";
import { HOME, id, memberOf } from "../members/given";

export function member(name: string, peers: readonly unknown[], trustDomain = `${name}.example.com`): MeshMember {
  return memberOf(configOf({ context: name, trustDomain, peers }, { ...HOME, stack: name }));
}

export const trusting = (...peers: string[]): Published => ({
  pendingPeers: [],
  peers: Object.fromEntries(peers.map((peer) => [peer, { trustDomain: `${peer}.example.com`, fingerprints: [] }])),
});

export const byId = <T>(of: Record<string, T>): Map<string, T> =>
  new Map(Object.entries(of).map(([stack, value]) => [id(stack), value]));

export const nothing: Traces = { bundles: [], relationships: [], asked: [], users: [], unlisted: [] };

export const asked = (trustDomain: string) => ({ object: "ClusterFederatedTrustDomain x", trustDomain });
