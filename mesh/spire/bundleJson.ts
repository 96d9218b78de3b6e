/** A bundle as `spire-server bundle … -output json` prints it. Pure. */
import type { HeldBundle } from "./bundle";

export interface BundleJson {
  trust_domain: string;
  /** `tainted` is in the server's own bundle alone: no endpoint serves it. */
  x509_authorities: { asn1: string; tainted?: boolean }[];
  jwt_authorities: { key_id: string; public_key: string; tainted?: boolean }[];
  sequence_number?: string;
  refresh_hint?: string;
}

export function heldBundle(bundle: BundleJson): HeldBundle {
  const decode = (base64: string): Buffer => Buffer.from(base64, "base64");
  return {
    trustDomain: bundle.trust_domain,
    roots: bundle.x509_authorities.map(({ asn1 }) => decode(asn1)),
    jwtKeys: bundle.jwt_authorities.map(({ key_id, public_key }) => ({ id: key_id, publicKey: decode(public_key) })),
    ...(bundle.sequence_number === undefined ? {} : { sequence: Number(bundle.sequence_number) }),
    ...(Number(bundle.refresh_hint) > 0 ? { refreshHint: Number(bundle.refresh_hint) } : {}),
  };
}
