import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { SPIRE_API } from "../shared/names";
import { onlyInUp } from "../shared/savedPlan";

/**
 * Which bundle a ClusterFederatedTrustDomain was made with, written on the object itself.
 *
 * Whenever such an object is created or corrected, the controller sends all of it to SPIRE, bundle included. That bundle may
 * be weeks old by then: SPIRE would trust keys that the peer has given up. So an object that is as this program made it keeps
 * its bundle, and one that somebody has changed is never corrected with that bundle, but with a newly fetched one.
 */

export const TRUST_KIND = "ClusterFederatedTrustDomain";
/** The fetch that the bundle is from, and a SHA-256 over what the object says. */
export const BUNDLE_ANNOTATION = "spire-federation/bundle";

/**
 * CA certificates (PEM) of the peer's endpoint, written on the object for the day on which the peer's stack publishes
 * nothing any more. With https_spiffe they are in the bundle already.
 */
export const CA_ANNOTATION = "spire-federation/endpoint-ca";

/** The rebootstrap number and the pins that trust began with. When they change, trust begins anew. */
export const BEGINNING_ANNOTATION = "spire-federation/beginning";

/** The number of `rebootstrap` and the pins, in one text. */
export const beginning = (rebootstrap: number, fingerprints: readonly string[] = []): string =>
  [rebootstrap, ...fingerprints].join(" ");

/** `spec` of a ClusterFederatedTrustDomain, as far as this program sets it. */
export interface TrustSpec {
  trustDomain?: string;
  bundleEndpointURL?: string;
  bundleEndpointProfile?: { type?: string; endpointSPIFFEID?: string };
  className?: string;
  trustDomainBundle?: string;
}

export interface TrustObject extends KubeObject {
  spec?: TrustSpec;
}

/** @param began the object's BEGINNING_ANNOTATION */
export function bundleMark(fetch: string, spec: TrustSpec, began = ""): string {
  const { trustDomain, bundleEndpointURL, bundleEndpointProfile, className, trustDomainBundle = "" } = spec;
  const { type, endpointSPIFFEID } = bundleEndpointProfile ?? {};
  const covered = JSON.stringify([
    ...[trustDomain, bundleEndpointURL, type, endpointSPIFFEID, className, trustDomainBundle],
    began,
  ]);
  return `${fetch} sha256:${createHash("sha256").update(covered).digest("hex")}`;
}

/** The fetch in an object's mark; undefined when the object is not as it was when it was marked. */
export function markedFetch({ metadata, spec = {} }: TrustObject): string | undefined {
  const mark = metadata?.annotations?.[BUNDLE_ANNOTATION] ?? "";
  const [fetch = ""] = mark.split(" ");
  return mark === bundleMark(fetch, spec, metadata?.annotations?.[BEGINNING_ANNOTATION]) ? fetch : undefined;
}

/** The same, while the object also says what is asked of it; undefined when its bundle has to be fetched anew. */
export function unchangedFetch(live: TrustObject, asked: TrustSpec): string | undefined {
  const asAsked = Object.entries(asked).every(([field, value]) =>
    isDeepStrictEqual(live.spec?.[field as keyof TrustSpec], value),
  );
  return asAsked ? markedFetch(live) : undefined;
}

/** From where the object in the cluster has, or is to have, its bundle. */
export interface BundleSource {
  /**
   * Names the fetch. It stays the same until somebody changes the object, or the object is to say something else. Then it
   * follows from the object as it is now, so that a preview and its `up` find the same name, which a saved plan needs.
   */
  fetch: pulumi.Input<string>;
  /** The bundle (JWKS) in the object, as long as it is to stay; undefined: it has to be fetched. */
  held?: string;
}

/**
 * @param asked the object's specification without its bundle
 * @param began its BEGINNING_ANNOTATION, as asked
 */
export async function bundleSource(
  reader: ClusterReader,
  name: string,
  asked: TrustSpec,
  began: string,
): Promise<BundleSource> {
  const live = await reader.get<TrustObject>(SPIRE_API, TRUST_KIND, name);
  if (live === undefined) {
    return { fetch: onlyInUp(() => `new/${new Date().toISOString()}`) };
  }
  const { uid = "", resourceVersion = "", annotations } = live.metadata ?? {};
  const fetch = annotations?.[BEGINNING_ANNOTATION] === began ? unchangedFetch(live, asked) : undefined;
  const held = live.spec?.trustDomainBundle;
  return fetch === undefined || held === undefined ? { fetch: `${uid}/${resourceVersion}` } : { fetch, held };
}
