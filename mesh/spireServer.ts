/** A cluster's SPIRE server, asked by exec in its pod: what it holds of other trust domains is in no Kubernetes object. */
import { PassThrough } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "../components/kubernetesClient";
import { Forbidden } from "../components/cluster";
import { kubeConfig } from "../components/connect";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../components/names";
import { authorityId } from "./keys";
import { POD, PROGRAM } from "./serverCommands";

/** The bundle of a trust domain, as a SPIRE server holds it. */
export interface HeldBundle {
  trustDomain: string;
  /** X.509 roots, DER. */
  roots: Buffer[];
  jwtKeys: JwtKey[];
  /** Counts the changes of the bundle; undefined where nobody says it. */
  sequence?: number;
}

/** A key that JWT-SVIDs are verified with. */
export interface JwtKey {
  id: string;
  /** DER. */
  publicKey: Buffer;
}

/** The keys that a SPIRE server signs with now; others of its bundle are to come, or were. */
export interface Signing {
  /** Of the X.509 root: see `authorityId` in keys.ts. */
  x509: string;
  /** `JwtKey.id`. */
  jwt: string;
}

export interface SpireServer {
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
 * The SPIRE server of the cluster that a context of the kubeconfig names.
 *
 * @throws Forbidden from each call when whoever asks may not exec in its pod; Error when it cannot be asked or refuses
 */
export function spireServer(context: string): SpireServer {
  const run = (...args: string[]): Promise<string> => exec(context, [PROGRAM, ...args]);
  return {
    async ownBundle() {
      return heldBundle(JSON.parse(await run("bundle", "show", "-output", "json")) as BundleJson);
    },
    async signing({ roots, jwtKeys }) {
      const active = async (kind: keyof Signing, [id, ...more]: string[]): Promise<string> => {
        if (id !== undefined && more.length === 0) return id;
        const shown = await run("localauthority", kind, "show", "-output", "json");
        return (JSON.parse(shown) as { active?: { authority_id: string } }).active?.authority_id ?? "";
      };
      const [x509, jwt] = await Promise.all([
        active("x509", roots.map(authorityId)),
        active(
          "jwt",
          jwtKeys.map(({ id }) => id),
        ),
      ]);
      return { x509, jwt };
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
        return !error.message.includes("there is no federation relationship");
      }
      return true;
    },
    async forget(trustDomain) {
      await run("bundle", "delete", "-id", `spiffe://${trustDomain}`, "-mode", "dissociate");
    },
  };
}

interface BundleJson {
  trust_domain: string;
  x509_authorities: { asn1: string }[];
  jwt_authorities: { key_id: string; public_key: string }[];
  sequence_number?: string;
}

function heldBundle(bundle: BundleJson): HeldBundle {
  const decode = (base64: string): Buffer => Buffer.from(base64, "base64");
  return {
    trustDomain: bundle.trust_domain,
    roots: bundle.x509_authorities.map(({ asn1 }) => decode(asn1)),
    jwtKeys: bundle.jwt_authorities.map(({ key_id, public_key }) => ({ id: key_id, publicKey: decode(public_key) })),
    ...(bundle.sequence_number === undefined ? {} : { sequence: Number(bundle.sequence_number) }),
  };
}

/** The SPIRE server was asked, and says no. */
class Refused extends Error {}

/** What takes longer is given up: a cluster that is not reachable often answers nothing at all. */
const EXEC_MS = 10_000;

async function exec(context: string, command: string[]): Promise<string> {
  const config = impatient(kubeConfig(context));
  const [out, err] = [new PassThrough(), new PassThrough()];
  const said = { out: "", err: "" };
  out.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
  err.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
  const what = `context "${context}": cannot run ${command.slice(0, 3).join(" ")} in ${OPERAND_NAMESPACE}/${POD}`;
  let giveUp: NodeJS.Timeout | undefined;
  const status = await new Promise<V1Status>((done, fail) => {
    const socket = new Exec(config).exec(OPERAND_NAMESPACE, POD, SPIRE_SERVER, command, out, err, null, false, done);
    socket.catch(fail);
    giveUp = setTimeout(() => {
      fail(new Error(`no answer within ${EXEC_MS / 1000} s; is the cluster up and reachable from here?`));
      // An open socket would keep the program running.
      (socket as Promise<{ terminate(): void }>).then((open) => {
        open.terminate();
      }, fail);
    }, EXEC_MS);
  })
    .catch((error: unknown) => {
      const { message } = error as Error;
      throw new (message.includes("403") ? Forbidden : Error)(`${what}: ${message}`, { cause: error });
    })
    .finally(() => {
      clearTimeout(giveUp);
    });
  if (status.status !== "Success") throw new Refused(`${what}: ${said.err.trim() || (status.message ?? "it failed")}`);
  return said.out;
}

/** The client would wait for ever for an API server that accepts a connection and says nothing. */
function impatient(config: KubeConfig): KubeConfig {
  const apply = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await apply(options);
    Object.assign(options, { handshakeTimeout: EXEC_MS });
  };
  return config;
}
