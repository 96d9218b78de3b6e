/** The keys that a SPIRE server signs with, and the commands that replace them: apart from `SpireServer`, which changes no key. */
import { X509Certificate } from "node:crypto";
import type { ClusterAccess } from "../../components/cluster/access";
import { subjectKeyId } from "../../components/bundle/x509Extensions";
import { programAt, type ServerProgram } from "./serverProgram";

/** X.509 authorities sign X.509-SVIDs, JWT authorities JWT-SVIDs; each has slots and a clock of its own. */
export const KINDS = ["x509", "jwt"] as const;
export type Kind = (typeof KINDS)[number];

/** One authority, as `localauthority … show` names it. */
export interface Slot {
  /** Subject key id of the certificate in hexadecimal, or the JWT key's `kid`. */
  id: string;
  /** Undefined where SPIRE doesn't say: after a taint or a revocation. */
  expires?: Date;
  /** Key id of the CA above an X.509 authority; empty when it is self-signed. */
  upstream: string;
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

/** A key of a bundle, by the id that SPIRE's commands take. */
export interface BundleKey {
  id: string;
  tainted: boolean;
  /** Of a root. */
  notBefore?: Date;
}

/** A SPIRE agent, as the server knows it. */
export interface Agent {
  /** Path of its SPIFFE ID. */
  path: string;
  /** Another one is another SVID. */
  serial: string;
  expires: Date;
}

export interface Authorities {
  slots(kind: Kind): Promise<Slots>;
  /** Its own bundle. */
  own(): Promise<Record<Kind, BundleKey[]> & { refreshHint?: number }>;
  /** Key ids of the bundles that it holds of other trust domains. */
  held(): Promise<Map<string, Record<Kind, string[]>>>;
  /** Those that may still use their SVID. */
  agents(): Promise<Agent[]>;
  /** How many registration entries it has, and the longest life that one gives to JWT-SVIDs, in seconds; 0 when none does. */
  entries(): Promise<{ count: number; longestJwt: number }>;
  /** Makes the next authority, and drops whatever is in the second slot out of reach. */
  prepare(kind: Kind): Promise<void>;
  activate(kind: Kind, id: string): Promise<void>;
  taint(kind: Kind, id: string): Promise<void>;
  revoke(kind: Kind, id: string): Promise<void>;
  /** Fetches a peer's bundle now. @throws Refused when the fetch fails */
  refresh(trustDomain: string): Promise<void>;
}

export const authorities = (access: ClusterAccess, signal?: AbortSignal, requestMs?: number): Authorities =>
  authoritiesBy(programAt(access, signal, requestMs));

/** Of the SPIRE server that its program speaks for. */
export function authoritiesBy({ run }: Pick<ServerProgram, "run">): Authorities {
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await run(...args, "-output", "json")) as T;
  const change = async (kind: Kind, verb: string, id: string): Promise<void> => {
    await run("localauthority", kind, verb, "-authorityID", id);
  };
  return {
    slots: async (kind) => slotsOf(await json<ShownJson>("localauthority", kind, "show")),
    async own() {
      const bundle = await json<BundleJson>("bundle", "show");
      return {
        ...keysOf(bundle),
        ...(Number(bundle.refresh_hint) > 0 && { refreshHint: Number(bundle.refresh_hint) }),
      };
    },
    async held() {
      const { bundles } = await json<{ bundles: BundleJson[] }>("bundle", "list");
      const ids = (keys: BundleKey[]): string[] => keys.map(({ id }) => id);
      return new Map(
        bundles.map((bundle) => {
          const { x509, jwt } = keysOf(bundle);
          return [bundle.trust_domain, { x509: ids(x509), jwt: ids(jwt) }];
        }),
      );
    },
    async agents() {
      const { agents = [] } = await json<{ agents?: AgentJson[] }>("agent", "list");
      return agents
        .filter(({ banned }) => banned !== true)
        .map(({ id, x509svid_serial_number, x509svid_expires_at }) => ({
          path: id.path,
          serial: x509svid_serial_number,
          expires: new Date(Number(x509svid_expires_at) * 1000),
        }));
    },
    async entries() {
      const { entries = [] } = await json<{ entries?: { jwt_svid_ttl?: number }[] }>("entry", "show");
      return { count: entries.length, longestJwt: Math.max(0, ...entries.map(({ jwt_svid_ttl: ttl = 0 }) => ttl)) };
    },
    async prepare(kind) {
      await run("localauthority", kind, "prepare");
    },
    activate: (kind, id) => change(kind, "activate", id),
    taint: (kind, id) => change(kind, "taint", id),
    revoke: (kind, id) => change(kind, "revoke", id),
    async refresh(trustDomain) {
      await run("federation", "refresh", "-id", trustDomain);
    },
  };
}

interface SlotJson {
  authority_id?: string;
  expires_at?: string;
  upstream_authority_subject_key_id?: string;
}
type ShownJson = Partial<Record<keyof Slots, SlotJson>>;

interface BundleJson {
  trust_domain: string;
  x509_authorities?: { asn1: string; tainted?: boolean }[];
  jwt_authorities?: { key_id: string; tainted?: boolean }[];
  refresh_hint?: string;
}

interface AgentJson {
  id: { path: string };
  x509svid_serial_number: string;
  x509svid_expires_at: string;
  banned?: boolean;
}

/** SPIRE prints empty fields, too. */
function slotsOf(shown: ShownJson): Slots {
  const slot = (json: SlotJson | undefined): Slot[] => {
    if (json?.authority_id === undefined || json.authority_id === "") return [];
    const { authority_id: id, expires_at, upstream_authority_subject_key_id: upstream = "" } = json;
    const seconds = Number(expires_at ?? 0);
    return [{ id, upstream, ...(seconds > 0 && { expires: new Date(seconds * 1000) }) }];
  };
  const [[active], [prepared], [old]] = [slot(shown.active), slot(shown.prepared), slot(shown.old)];
  return { ...(active && { active }), ...(prepared && { prepared }), ...(old && { old }) };
}

function keysOf({ x509_authorities = [], jwt_authorities = [] }: BundleJson): Record<Kind, BundleKey[]> {
  return {
    x509: x509_authorities.map(({ asn1, tainted = false }) => {
      const der = Buffer.from(asn1, "base64");
      const notBefore = new Date(new X509Certificate(der).validFrom);
      // A root of an upstream CA may have no key id; then no command can name it.
      return { id: subjectKeyId(der) ?? "", tainted, notBefore };
    }),
    jwt: jwt_authorities.map(({ key_id: id, tainted = false }) => ({ id, tainted })),
  };
}
