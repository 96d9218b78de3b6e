/** Reads the kubeconfig that leads to a cluster. */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, parse } from "node:path";
import type { ClusterAccess } from "./access";
import { withExecCredential } from "./execCredential";
import { KubeConfig } from "./kubernetesClient";
import { proxyFor } from "./proxy";

/** The kubeconfig, or a context in it, cannot be found; `key` is the config key to look at. */
export class AccessError extends Error {
  constructor(
    readonly key: keyof ClusterAccess,
    message: string,
  ) {
    super(message);
    this.name = "AccessError";
  }
}

/**
 * The kubeconfig with the chosen context as its current one.
 *
 * @param config what the file is read into
 * @throws AccessError when the file cannot be read, when it doesn't have the context, or doesn't say which to use, when the
 * address of its cluster is no URL, and when it is in a Git repository and would run a program
 */
export function loadKubeconfig(access: ClusterAccess, config = new KubeConfig()): KubeConfig {
  load(access, config);
  config.setCurrentContext(chooseContext(config, access));
  refuseTracked(access, config);
  addProxy(access, config);
  return withExecCredential(config);
}

const inHome = (path: string): string => path.replace(/^~(?=\/|$)/, homedir());

/**
 * A stack file names its kubeconfig, and whoever can change the repository with both would run programs on every machine that
 * previews the change. Without git, or outside a repository, there is nothing to be told.
 */
function refuseTracked({ kubeconfig }: ClusterAccess, config: KubeConfig): void {
  const user = config.getCurrentUser();
  // The client may have null for what is not there.
  const login: unknown = user?.exec ?? user?.authProvider ?? undefined;
  if (kubeconfig === undefined || login === undefined) return;
  const { dir, base } = parse(realpathSync(inHome(kubeconfig)));
  // Whoever owns the checkout: it is only read.
  const flags = ["-c", "safe.directory=*", "--literal-pathspecs", "-C", dir];
  const { status } = spawnSync("git", [...flags, "ls-files", "--error-unmatch", "--", base], { stdio: "ignore" });
  if (status !== 0) return;
  throw new AccessError(
    "kubeconfig",
    `${kubeconfig} runs a program to log in, and Git tracks it, so that whoever can change the repository could run any program ` +
      "here; keep that kubeconfig outside of the repository, or in a file that Git ignores",
  );
}

/** The client knows `proxy-url` of a kubeconfig, and nothing of the environment. What the file says of other clusters is no concern. */
function addProxy(access: ClusterAccess, config: KubeConfig): void {
  const current = config.getCurrentCluster();
  if (current === null) return;
  const { name, server } = current;
  if (!URL.canParse(server)) {
    const about = `cluster "${name}" of the kubeconfig ${kubeconfigName(access)}`;
    throw new AccessError(
      "kubeconfig",
      `${about} has server "${server}", which is no URL; it is https://<host>:<port>`,
    );
  }
  const proxyUrl = current.proxyUrl ?? proxyFor(server);
  if (proxyUrl === undefined) return;
  config.loadFromOptions({
    clusters: config.clusters.map((cluster) => (cluster === current ? { ...cluster, proxyUrl } : cluster)),
    users: config.users,
    contexts: config.contexts,
    currentContext: config.currentContext,
  });
}

/** The context that `loadKubeconfig` uses; undefined where it throws. */
export function usedContext(access: ClusterAccess): string | undefined {
  try {
    return loadKubeconfig(access).getCurrentContext();
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return undefined;
  }
}

/** A context, and the address of the API server that it leads to. */
export interface KnownContext {
  context: string;
  server: string | undefined;
}

/**
 * All contexts of the kubeconfig, the current one first.
 *
 * @throws AccessError when the file cannot be read
 */
export function contextsOf(access: Pick<ClusterAccess, "kubeconfig">): KnownContext[] {
  const config = new KubeConfig();
  load(access, config);
  const current = config.getCurrentContext();
  return config
    .getContexts()
    .map(({ name, cluster }) => ({ context: name, server: config.getCluster(cluster)?.server }))
    .sort((one, other) => Number(other.context === current) - Number(one.context === current));
}

/** Where the kubeconfig is, as a person would say it. */
export function kubeconfigName({ kubeconfig }: ClusterAccess): string {
  if (kubeconfig !== undefined) return kubeconfig;
  return process.env["KUBECONFIG"] ? `${process.env["KUBECONFIG"]} ($KUBECONFIG)` : "~/.kube/config";
}

function load(access: ClusterAccess, config: KubeConfig): void {
  const path = access.kubeconfig;
  try {
    if (path !== undefined) config.loadFromFile(inHome(path));
    // With neither of the two the client would make up a cluster.
    else if (process.env["KUBECONFIG"] || existsSync(join(homedir(), ".kube", "config"))) config.loadFromDefault();
    else throw new Error("there is no such file, and $KUBECONFIG is not set");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `there is no such file: ${message}` : message;
    const cure = "name the file that leads to this cluster in kubeconfig, or in $KUBECONFIG";
    throw new AccessError("kubeconfig", `${kubeconfigName(access)} cannot be read: ${why}; ${cure}`);
  }
}

function chooseContext(config: KubeConfig, access: ClusterAccess): string {
  const known = config.getContexts().map(({ name }) => name);
  const [only, ...others] = known;
  const current = config.getCurrentContext();
  const list = known.length > 0 ? known.join(", ") : "none";
  if (access.context !== undefined) {
    if (known.includes(access.context)) return access.context;
    const message = `context "${access.context}" is not in the kubeconfig ${kubeconfigName(access)}; it has ${list}`;
    throw new AccessError("context", message);
  }
  if (known.includes(current)) return current;
  if (only !== undefined && others.length === 0) return only;
  const file = `the kubeconfig ${kubeconfigName(access)}`;
  throw new AccessError("context", `is not set, and ${file} has no current context; it has ${list}: set one of them`);
}
