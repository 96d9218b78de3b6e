/** A cluster's SPIRE server, asked by exec in its pod: what it holds of other trust domains is in no Kubernetes object. */
import type { ClusterAccess } from "../../components/cluster/access";
import { activeAuthority, type Authority, rootsAbove } from "./authority";
import { Refused } from "./serverExec";
import { programAt, type ServerProgram } from "./serverProgram";
import { fingerprint, type HeldBundle, type Signing } from "./bundle";
import { type BundleJson, heldBundle } from "./bundleJson";

export interface SpireServer {
  /** Path of its program in its container, for commands that people are to run. */
  program(): Promise<string>;
  /** The bundle of its own trust domain. */
  ownBundle(): Promise<HeldBundle>;
  /** @param own the bundle of its own trust domain: of a kind of which that has one key, nothing is asked */
  signing(own: HeldBundle): Promise<Signing>;
  /** Bundles of other trust domains. */
  bundles(): Promise<HeldBundle[]>;
  /** Trust domains of the dynamic relationships; those of server.conf are not among them. */
  relationships(): Promise<string[]>;
  /**
   * Whether it fetches that trust domain's bundle, by a dynamic relationship or by one of server.conf. It is made to fetch
   * now: the one question that knows of both kinds. If not, no fetch is on its way any more either.
   */
  polls(trustDomain: string): Promise<boolean>;
  /** Deletes the bundle of a trust domain, and takes it from the registration entries that federate with it. */
  forget(trustDomain: string): Promise<void>;
}

/**
 * The SPIRE server of a cluster.
 *
 * @param signal no command begins once it is aborted
 * @throws Forbidden from each call when exec in its pod is not allowed; Error when it cannot be asked or refuses
 */
export const spireServer = (access: ClusterAccess, signal?: AbortSignal, requestMs?: number): SpireServer =>
  serverBy(programAt(access, signal, requestMs));

/** The SPIRE server that its program speaks for. */
export function serverBy({ path, run }: ServerProgram): SpireServer {
  return {
    program: path,
    async ownBundle() {
      return heldBundle(JSON.parse(await run("bundle", "show", "-output", "json")) as BundleJson);
    },
    async signing({ roots, jwtKeys }) {
      const active = async (kind: keyof Signing): Promise<Authority | undefined> =>
        activeAuthority(await run("localauthority", kind, "show", "-output", "json"));
      const above = async (): Promise<Buffer[]> => {
        if (roots.length < 2) return roots;
        const authority = await active("x509");
        return authority === undefined ? [] : rootsAbove(authority, roots);
      };
      const jwtIds = async (): Promise<string[]> =>
        jwtKeys.length < 2 ? jwtKeys.map(({ id }) => id) : [(await active("jwt"))?.id ?? []].flat();
      const [x509, jwt] = await Promise.all([above(), jwtIds()]);
      return { x509: x509.map(fingerprint), jwt };
    },
    async bundles() {
      const { bundles } = JSON.parse(await run("bundle", "list", "-output", "json")) as { bundles: BundleJson[] };
      return bundles.map(heldBundle);
    },
    async relationships() {
      const list = JSON.parse(await run("federation", "list", "-output", "json")) as {
        federation_relationships: { trust_domain: string }[];
      };
      return list.federation_relationships.map(({ trust_domain }) => trust_domain);
    },
    async polls(trustDomain) {
      try {
        await run("federation", "refresh", "-id", trustDomain);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.message.includes(NO_RELATIONSHIP)) return false;
        // It has tried to fetch; any other refusal, such as of a server that is down, is no answer.
        if (!error.message.includes(FETCH_FAILED)) throw error;
      }
      return true;
    },
    async forget(trustDomain) {
      await run("bundle", "delete", "-id", `spiffe://${trustDomain}`, "-mode", "dissociate");
    },
  };
}

/** How `federation refresh` ends where the server answers NotFound. */
const NO_RELATIONSHIP = "there is no federation relationship with trust domain";

/** How it ends where the server has a relationship and its fetch fails. */
const FETCH_FAILED = "code = Internal desc = failed to refresh bundle";
