/** Members as they come of their configs. */
import { asMember, type MeshMember } from "../../../mesh/members/members";
import type { ClusterConfig } from "../../../stacks/config";
import { SELF } from "../../stacks/fixtures";

export const HOME = { organization: SELF.organization, project: SELF.project };

/** The id of a stack of this project. */
export const id = (stack: string): string => `${HOME.organization}/${HOME.project}/${stack}`;

/** A stack's own name, of its id. */
export const stackOf = (stackId: string): string => stackId.split("/").at(-1) ?? "";

/** @param others stacks that are members, too; as it stands, every peer of this project is one */
export function memberOf(config: ClusterConfig, others?: readonly string[]): MeshMember {
  const peers = config.peers.filter(({ publication }) => publication === undefined).map(({ id }) => id);
  return asMember(config, others?.map(id) ?? peers.filter((peer) => peer === id(stackOf(peer))), HOME);
}
