/**
 * Credentials of the exec plugin of a kubeconfig, such as `kubelogin` or `aws`. The client's own way runs the plugin anew
 * in every client that is made, and waits for it without a limit. Here each cluster's plugin runs once until its
 * credential expires, with a time limit, whoever asks and however often.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "./kubernetesClient";

/** The plugin of a kubeconfig gave no credential. */
export class CredentialError extends Error {}

/** A plugin that asks a server takes a few seconds; nobody is there to answer one that asks a person. */
const PLUGIN_MS = 30_000;

/** A plugin that has failed is not asked again for this long, so that one that hangs costs its time limit once. */
const FAILED_MS = 60_000;

/** A credential without an expiry may be withdrawn all the same. */
const UNDATED_MS = 10 * 60_000;

/** The part of a kubeconfig's `exec` that is used here. */
interface Plugin {
  apiVersion?: string;
  command: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  provideClusterInfo?: boolean;
}

interface Credential {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  expirationTimestamp?: string;
}

type Cluster = ReturnType<KubeConfig["getCurrentCluster"]>;

/** How the client is told that a user's credentials come from here. */
const PROVIDER = "spire-federation-exec";

/** The same kubeconfig, whose current user's plugin is run by this file. */
export function withExecCredential(config: KubeConfig, limitMs = PLUGIN_MS): KubeConfig {
  const user = config.getCurrentUser();
  const plugin = user?.exec as Plugin | null | undefined;
  if (user === null || !plugin?.command) return config;
  const cluster = config.getCurrentCluster();
  config.loadFromOptions({
    clusters: config.clusters,
    users: config.users.map((one) =>
      one === user ? { ...one, exec: undefined, authProvider: { name: PROVIDER } } : one,
    ),
    contexts: config.contexts,
    currentContext: config.currentContext,
  });
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => (authProvider as { name?: string } | null)?.name === PROVIDER,
    applyAuthentication: async (_, options: RequestOptions) => {
      const { token, clientCertificateData, clientKeyData } = await credentialOf(plugin, cluster, limitMs);
      if (clientCertificateData !== undefined) options.cert = clientCertificateData;
      if (clientKeyData !== undefined) options.key = clientKeyData;
      if (token !== undefined)
        options.headers = Object.assign(options.headers ?? {}, { Authorization: `Bearer ${token}` });
    },
  });
  return config;
}

/** What plugins have said, or will, and until when that holds. */
const asked = new Map<string, { credential: Promise<Credential>; until: number }>();

async function credentialOf(plugin: Plugin, cluster: Cluster, limitMs: number): Promise<Credential> {
  try {
    return await askOnce(plugin, cluster, limitMs);
  } catch (error) {
    throw new CredentialError((error as Error).message); // one of its own for each request: the client adds to its message
  }
}

function askOnce(plugin: Plugin, cluster: Cluster, limitMs: number): Promise<Credential> {
  const key = JSON.stringify([plugin, cluster]);
  const known = asked.get(key);
  if (known !== undefined && Date.now() < known.until) return known.credential;
  const entry = { credential: run(plugin, cluster, limitMs), until: Infinity };
  asked.set(key, entry);
  entry.credential.then(
    ({ expirationTimestamp }) => {
      const end = Date.parse(expirationTimestamp ?? "");
      entry.until = Number.isNaN(end) ? Date.now() + UNDATED_MS : end;
    },
    () => {
      entry.until = Date.now() + FAILED_MS;
    },
  );
  return entry.credential;
}

/** Arguments may contain secrets, so no error quotes them. */
async function run(plugin: Plugin, cluster: Cluster, limitMs: number): Promise<Credential> {
  const what = `the credential plugin ${plugin.command} of the kubeconfig`;
  const out = await outputOf(plugin, cluster, limitMs, what);
  let answer: { status?: Credential } | null;
  try {
    answer = JSON.parse(out) as typeof answer;
  } catch {
    throw new CredentialError(`${what} gave no JSON; it should give an ExecCredential`);
  }
  const { token, clientCertificateData } = answer?.status ?? {};
  if (answer?.status === undefined || (token === undefined && clientCertificateData === undefined)) {
    throw new CredentialError(`${what} gave an ExecCredential without a token or a certificate`);
  }
  return answer.status;
}

function outputOf(plugin: Plugin, cluster: Cluster, limitMs: number, what: string): Promise<string> {
  const given = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]));
  const env = { ...process.env, ...given, KUBERNETES_EXEC_INFO: execInfo(plugin, cluster) };
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, plugin.args ?? [], { env, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new CredentialError(`${what} ${why}; run it by hand to see what it waits for or lacks`));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // A program that the plugin has started may still hold them open.
      child.stdout.destroy();
      child.stderr.destroy();
      fail(`gave no credential within ${limitMs / 1000} s`);
    }, limitMs);
    child.once("error", ({ message }) => {
      fail(`cannot be run: ${message}`);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(said.out);
      else fail(`ended with ${signal ?? String(code)}: ${said.err.trim().slice(-500) || "it says nothing"}`);
    });
  });
}

/** What a plugin is told by its environment, as kubectl does; it cannot ask anybody. */
function execInfo({ apiVersion, provideClusterInfo }: Plugin, cluster: Cluster): string {
  const ca = cluster?.caData ?? (cluster?.caFile && readFileSync(cluster.caFile).toString("base64"));
  const info = {
    server: cluster?.server,
    "tls-server-name": cluster?.tlsServerName,
    "insecure-skip-tls-verify": cluster?.skipTLSVerify === true ? true : undefined,
    "certificate-authority-data": ca === "" ? undefined : ca,
    "proxy-url": cluster?.proxyUrl,
  };
  return JSON.stringify({
    apiVersion: apiVersion ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: { interactive: false, ...(provideClusterInfo === true && { cluster: info }) },
  });
}
