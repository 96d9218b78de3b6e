/** The keys that a SPIRE server signs with, and the commands that replace them: apart from `SpireServer`, which changes no key. */
import { X509Certificate } from "node:crypto";
import type { ClusterAccess } from "../../components/cluster/access";
import { subjectKeyId } from "../../components/bundle/x509Extensions";
import { type Slots, slotsOf } from "./authority";
import type { HeldBundle } from "./bundle";
import { type BundleJson, heldBundle } from "./bundleJson";
import { programAt, type ServerProgram } from "./serverProgram";

/** X.509 authorities sign X.509-SVIDs, JWT authorities JWT-SVIDs; each has slots and a clock of its own. */
export const KINDS = ["x509", "jwt"] as const;
export type Kind = (typeof KINDS)[number];

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
  own(): Promise<Record<Kind, BundleKey[]>>;
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
    slots: async (kind) => slotsOf(await run("localauthority", kind, "show", "-output", "json")),
    async own() {
      const bundle = await json<BundleJson>("bundle", "show");
      const held = heldBundle(bundle);
      const ids = idsOf(held);
      return {
        x509: bundle.x509_authorities.map(({ tainted = false }, index) => ({
          id: ids.x509[index] ?? "",
          tainted,
          notBefore: new Date(new X509Certificate(held.roots[index] ?? "").validFrom),
        })),
        jwt: bundle.jwt_authorities.map(({ key_id: id, tainted = false }) => ({ id, tainted })),
      };
    },
    async held() {
      const { bundles } = await json<{ bundles: BundleJson[] }>("bundle", "list");
      return new Map(bundles.map((bundle) => [bundle.trust_domain, idsOf(heldBundle(bundle))]));
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

interface AgentJson {
  id: { path: string };
  x509svid_serial_number: string;
  x509svid_expires_at: string;
  banned?: boolean;
}

const idsOf = ({ roots, jwtKeys }: HeldBundle): Record<Kind, string[]> => ({
  // A root of an upstream CA may have no key id; then no command can name it.
  x509: roots.map((root) => subjectKeyId(root) ?? ""),
  jwt: jwtKeys.map(({ id }) => id),
});
