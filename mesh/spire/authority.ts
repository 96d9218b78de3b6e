/** With what a SPIRE server signs now, as `spire-server localauthority … show -output json` prints it. Pure. */
import { subjectKeyId } from "../../components/bundle/x509Extensions";
import { definedOnly } from "../../stacks/fields";

/** Key ids in hexadecimal. */
export interface Authority {
  /** Of an X.509 authority the subject key id of its certificate: a root of the bundle, or an intermediate that is in no bundle. */
  id: string;
  /** Key id of the CA that issued an X.509 authority; empty when it is self-signed, or when its issuer has no key id. */
  upstream: string;
}

/** One authority, as `show` names it. */
export interface Slot extends Authority {
  /** Undefined where SPIRE doesn't say: after a taint or a revocation. */
  expires?: Date;
}

/**
 * SPIRE's two slots: the active authority, and either the next one or the last one.
 *
 * It keeps naming an old authority that was revoked, and says nothing of taints: both are seen in the bundle alone.
 */
export interface Slots {
  active?: Slot;
  prepared?: Slot;
  old?: Slot;
}

interface SlotJson {
  authority_id?: string;
  expires_at?: string;
  upstream_authority_subject_key_id?: string;
}

/** SPIRE prints empty slots and fields, too. */
export function slotsOf(shown: string): Slots {
  const { active, prepared, old } = JSON.parse(shown) as Partial<Record<keyof Slots, SlotJson | null>>;
  return definedOnly({ active: slotOf(active), prepared: slotOf(prepared), old: slotOf(old) });
}

function slotOf(json: SlotJson | null | undefined): Slot | undefined {
  const { authority_id: id = "", expires_at, upstream_authority_subject_key_id: upstream = "" } = json ?? {};
  const seconds = Number(expires_at ?? 0);
  return id === "" ? undefined : { id, upstream, ...(seconds > 0 && { expires: new Date(seconds * 1000) }) };
}

/** Undefined when none is active. */
export function activeAuthority(shown: string): Authority | undefined {
  const { active } = slotsOf(shown);
  return active && { id: active.id, upstream: active.upstream };
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
