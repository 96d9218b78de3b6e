import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ClusterReader, KubeObject } from "./cluster";
import { SPIRE_API } from "./names";

/**
 * Which bundle a ClusterFederatedTrustDomain was made with, written on the object itself.
 *
 * Whenever such an object is made anew or put right, the controller sends the whole of it to SPIRE, bundle included.
 * The bundle in the stack's state may be weeks old by then: SPIRE would trust keys that the peer has given up. So an
 * object that is not as it was made is never put right with it, but with a bundle fetched for just that.
 */

export const TRUST_KIND = "ClusterFederatedTrustDomain";
/** When the bundle was asked for, and its SHA-256. */
export const BUNDLE_ANNOTATION = "spire-federation/bundle";

interface TrustObject extends KubeObject {
  spec?: Record<string, unknown> & { trustDomainBundle?: string };
}

export function bundleMark(fetch: string, jwks: string): string {
  return `${fetch} sha256:${createHash("sha256").update(jwks).digest("hex")}`;
}

/**
 * The fetch that the object in the cluster has its bundle from; a new one when the object is not there, or is not as
 * this program has made it. It triggers the fetch, and stays the same until somebody changes the object.
 *
 * @param asked the object's specification without its bundle
 */
export async function fetchOf(reader: ClusterReader, name: string, asked: Record<string, unknown>): Promise<string> {
  const live = await reader.get<TrustObject>(SPIRE_API, TRUST_KIND, name);
  const mark = live?.metadata?.annotations?.[BUNDLE_ANNOTATION] ?? "";
  const [fetch = ""] = mark.split(" ");
  const intact =
    mark === bundleMark(fetch, live?.spec?.trustDomainBundle ?? "") &&
    Object.entries(asked).every(([field, value]) => isDeepStrictEqual(live?.spec?.[field], value));
  return intact ? fetch : new Date().toISOString();
}
