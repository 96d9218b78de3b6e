/** With what a SPIRE server signs now, as `spire-server localauthority … show -output json` prints it. Pure. */
import { subjectKeyId } from "../../components/bundle/x509Extensions";

/** Key ids in hexadecimal. */
export interface Authority {
  /** Of an X.509 authority the subject key id of its certificate: a root of the bundle, or an intermediate that is in no bundle. */
  id: string;
  /** Key id of the CA that issued an X.509 authority; empty when it is self-signed, or when its issuer has no key id. */
  upstream: string;
}

/** Undefined when none is active. SPIRE prints empty fields, too. */
export function activeAuthority(shown: string): Authority | undefined {
  const { active } = JSON.parse(shown) as {
    active?: { authority_id?: string; upstream_authority_subject_key_id?: string };
  };
  const { authority_id: id = "", upstream_authority_subject_key_id: upstream = "" } = active ?? {};
  return id === "" ? undefined : { id, upstream };
}

/**
 * The roots that vouch for what an authority signs, by the key ids that the certificates carry: how these are computed
 * differs (SPIRE in FIPS mode, any PKI). Several when a root was renewed with the same key. None when it isn't known,
 * because the authority's issuer is an intermediate too, or has no key id.
 */
export function rootsAbove({ id, upstream }: Authority, roots: readonly Buffer[]): Buffer[] {
  const withKey = (keyId: string): Buffer[] =>
    keyId === "" ? [] : roots.filter((root) => subjectKeyId(root) === keyId);
  const own = withKey(id);
  return own.length > 0 ? own : withKey(upstream);
}
