/** Names of a peer's ClusterFederatedTrustDomain. */
import { createHash } from "node:crypto";

/**
 * `<stack>-federation`, as the procedure has it, unless it has a name of its own. A name that isn't a Kubernetes name by itself, such as a fully
 * qualified stack's, is cut to its last part and told apart by a hash.
 */
export function objectName(stack: string, own?: string): string {
  if (own !== undefined) return own;
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(stack) && stack.length <= 200) {
    return `${stack}-federation`;
  }
  const last = (stack.split("/").at(-1) ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const hash = createHash("sha256").update(stack).digest("hex").slice(0, 8);
  return `${`peer-${last}`.slice(0, 200)}-${hash}-federation`.replaceAll(/-+/g, "-");
}

/**
 * The name that a peer's resources have in the state. It goes by the object and not by the peer, who may be given another
 * name, or a stack in place of a description: Pulumi then finds the object that it has, and does not delete it.
 */
export const resourceNameOf = (object: string): string => object.replace(/-federation$/, "");
