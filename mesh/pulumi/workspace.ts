/** The project, its Pulumi, and what its stacks have published. */
import { createRequire } from "node:module";
import { delimiter, dirname, join, resolve } from "node:path";
import { type EngineEvent, LocalWorkspace, type OpMap, PulumiCommand, type Workspace } from "@pulumi/pulumi/automation";
import { type Contract, isPublished } from "../../stacks/contract";
import { UsageError } from "../kernel/exit";
import { uninterrupted } from "../kernel/interruption";
import { look, madeOr } from "../kernel/looked";
import { type Interruptible, pulumi } from "./cli";
import { PulumiError } from "./runPulumi";

export type { EngineEvent, OpMap, Workspace };

/** What a stack has published, as far as the mesh looks at it. */
export interface Published {
  /** Undefined as long as the stack has no endpoint that answered. */
  federation?: Contract;
  /** Peers that had published nothing when the stack ran last. */
  pendingPeers: string[];
  /** Whom the cluster trusts, by stack. */
  peers: Record<string, { trustDomain: string; fingerprints: string[] }>;
}

/** Of Pulumi's 3.x; what the program itself is made with. An older CLI may give other events. */
const OLDEST_MINOR = 248;

/**
 * Opens the project in a folder; `pulumi` is the project's own, as `npx pulumi` would be.
 *
 * @throws UsageError for a CLI that is too old
 */
export async function openProject(dir: string, interruption = uninterrupted): Promise<Interruptible> {
  const pulumiCommand = await pulumiOf(resolve(dir));
  const { version, command } = pulumiCommand;
  if (version !== null && (version.major < 3 || (version.major === 3 && version.minor < OLDEST_MINOR))) {
    throw new UsageError(
      `${command} is Pulumi ${version.version}; 3.${String(OLDEST_MINOR)} or later is needed: https://www.pulumi.com/docs/install`,
    );
  }
  return Object.assign(await LocalWorkspace.create({ workDir: dir, pulumiCommand }), { interruption });
}

/**
 * The program that npm's `pulumi` starts, or whatever is on the PATH where that is not there, or cannot download Pulumi.
 * Not npm's itself: a signal ends that at once, and leaves Pulumi running.
 */
async function pulumiOf(dir: string): Promise<PulumiCommand> {
  const npm = npmsPulumi(dir);
  const downloaded = npm && (await look(() => npm.resolve()));
  if (downloaded !== undefined && "seen" in downloaded)
    return PulumiCommand.get({ root: dirname(dirname(downloaded.seen)) });
  if (downloaded !== undefined) hideNpms();
  const installed = await look(() => PulumiCommand.get());
  if ("seen" in installed) return installed.seen;
  if (!installed.because.includes("ENOENT")) throw new Error(installed.because);
  const npms = downloaded === undefined ? "" : `, and npm's package pulumi cannot download it: ${downloaded.because}`;
  throw new Error(
    `no Pulumi CLI is on the PATH${npms}. Install it from https://www.pulumi.com/docs/install` +
      (downloaded === undefined ? "" : ", or let this machine reach get.pulumi.com"),
  );
}

/** npx has put npm's own `pulumi` before the others on the PATH, and that would only try to download again. */
function hideNpms(): void {
  const others = process.env["PATH"]?.split(delimiter).filter((dir) => !dir.endsWith(join("node_modules", ".bin")));
  process.env["PATH"] = others?.join(delimiter);
}

/** npm's package of the Pulumi CLI, as the project has it. */
const npmsPulumi = (dir: string): PulumiPackage | undefined =>
  madeOr(undefined, () => createRequire(join(dir, "package.json"))("pulumi/lib/resolve.js") as PulumiPackage);

interface PulumiPackage {
  resolve: () => Promise<string>;
}

/**
 * Makes a stack. The one that the user has selected stays selected. The first signal lets it end, so that it is known
 * whether the stack is there.
 *
 * @param secretsProvider URL; undefined: the backend's own, a passphrase or Pulumi Cloud
 */
export async function makeStack(workspace: Interruptible, id: string, secretsProvider?: string): Promise<void> {
  const { signal, force } = workspace.interruption ?? uninterrupted;
  signal.throwIfAborted();
  const by = secretsProvider === undefined ? [] : [`--secrets-provider=${secretsProvider}`];
  await pulumi(workspace, ["stack", "init", id, "--no-select", ...by], {
    interruption: { signal: uninterrupted.signal, force },
  });
}

/** Undefined when the backend has no such stack: the reading says so, and to ask before it would take as long again. */
export async function published(workspace: Interruptible, id: string): Promise<Published | undefined> {
  try {
    const said = await pulumi(workspace, ["stack", "output", "--json", "--stack", id]);
    return publishedIn(JSON.parse(said) as Partial<Published>);
  } catch (error) {
    if (error instanceof PulumiError && error.isMissing) return undefined;
    throw error;
  }
}

/**
 * Other outputs are for people. A peer whose roots are not known is one that an `up` went past.
 *
 * @throws Error for outputs that no release writes: what they fail to say is not nothing
 */
export function publishedIn({ federation, pendingPeers, peers }: Partial<Published>): Published {
  const known = Object.entries(isPublished(peers) ? peers : {}).filter(
    ([, one]) => isPublished(one) && isPublished(one.fingerprints),
  );
  const odd = known.find(([, one]) => typeof one.trustDomain !== "string" || !Array.isArray(one.fingerprints));
  if (odd !== undefined) throw new Error(`the output peers has no trustDomain, or no fingerprints, for ${odd[0]}`);
  const pending = isPublished(pendingPeers) ? pendingPeers : [];
  if (!Array.isArray(pending)) throw new Error(`the output pendingPeers is ${JSON.stringify(pending)}; it is a list`);
  return {
    ...(isPublished(federation) && { federation }),
    pendingPeers: pending,
    peers: Object.fromEntries(known),
  };
}
