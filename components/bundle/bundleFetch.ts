import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { atMost } from "../shared/atMost";
import type { Peer } from "./peer";
import { pinned } from "./pinnedRoots";
import { problem, type Problem } from "../shared/problem";
import { proxyVariables } from "../cluster/proxy";
import { parseTrustBundle, type TrustBundle } from "./trustBundle";

/** An endpoint that serves a bundle. */
export interface Endpoint {
  trustDomain: string;
  bundleEndpointUrl: pulumi.Input<string>;
  /** CA certificates (PEM) that vouch for it; the system's when left out. */
  caCertificates?: pulumi.Input<string>;
}

/** The script is read from its own file and goes to the shell through stdin, so that an error doesn't quote it. */
const SCRIPT = readFileSync(join(__dirname, "fetchBundle.sh"), "utf8");

/**
 * Arguments of a command that fetches a bundle with curl, verifying the endpoint's certificate.
 *
 * It prints the time of the fetch in seconds and then what was served: see `readFetched`.
 *
 * @param seconds how long to keep trying; each try has a bound of its own
 * @param triggers a change of these, and of nothing else, fetches anew
 */
export function fetchCommand(
  endpoint: Endpoint,
  seconds: number,
  triggers: pulumi.Input<unknown>[],
): command.local.CommandArgs {
  return {
    create: "sh -s",
    stdin: SCRIPT,
    environment: {
      BUNDLE_URL: endpoint.bundleEndpointUrl,
      BUNDLE_TRUST_DOMAIN: endpoint.trustDomain,
      BUNDLE_CA: endpoint.caCertificates ?? "",
      BUNDLE_SECONDS: String(seconds),
    },
    logging: "stderr",
    triggers,
  };
}

/** With hundreds at once, on few processors, TLS takes longer than curl waits. */
const MOST_FETCHES = 16;

/**
 * What the endpoint serves now, asked once and outside of any stack, in the form of `fetchCommand`. It may wait for its turn.
 *
 * @throws Error with what the script says, which names the endpoint and what to look at
 */
export const fetchNow = atMost(MOST_FETCHES, async (endpoint: Record<keyof Endpoint, string>): Promise<string> => {
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    ...proxyVariables(),
    BUNDLE_URL: endpoint.bundleEndpointUrl,
    BUNDLE_TRUST_DOMAIN: endpoint.trustDomain,
    BUNDLE_CA: endpoint.caCertificates,
    BUNDLE_SECONDS: "0",
  };
  const shell = promisify(execFile)("sh", ["-s"], { env });
  shell.child.stdin?.end(SCRIPT);
  try {
    return (await shell).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error((stderr ?? message).trim(), { cause: error });
  }
});

/**
 * The bundle that a peer's endpoint serves now, judged as an up would judge it, with the peer's pins.
 *
 * @throws Error as `fetchNow`
 */
export async function fetchFirst(peer: Peer): Promise<TrustBundle | Problem[]> {
  const { trustDomain, bundleEndpointUrl, caCertificates = "", fingerprints } = peer;
  return pinned(
    readFetched(await fetchNow({ trustDomain, bundleEndpointUrl, caCertificates }), trustDomain),
    fingerprints,
  );
}

/**
 * Arguments of a command that keeps the bundle that a peer's stack publishes, in the form of `fetchCommand`: as a
 * snapshot, as a fetched bundle is one.
 *
 * One that must not be trusted ends the command, so that the next up runs it again. It only runs for a peer that needs a
 * bundle: a published one that has expired since says nothing against a peer whose bundle is held.
 */
export function keepCommand(
  bundle: TrustBundle | { fault: string },
  triggers: pulumi.Input<unknown>[],
): command.local.CommandArgs {
  return {
    // The time is the command's: as an input it would be another one in the preview than in the up.
    ...("fault" in bundle
      ? { create: "cat >&2; exit 1", stdin: bundle.fault }
      : { create: "date +%s && cat", stdin: bundle.jwks }),
    environment: {},
    logging: "stderr",
    triggers,
  };
}

/** Everything but the triggers: an edited script or a renewed CA is no reason to fetch a bundle again. */
export const IGNORED_INPUTS = ["create", "stdin", "environment", "logging"];

/** The bundle in what a command of this file printed, judged at the time of the fetch. */
export function readFetched(stdout: string, trustDomain: string): TrustBundle | Problem[] {
  const [, seconds, text] = /^(\d{1,11})\n([^]*)$/.exec(stdout) ?? [];
  if (seconds === undefined || text === undefined) {
    return problem("bundle", "was not fetched by this program: its time is missing");
  }
  return parseTrustBundle(text, trustDomain, new Date(Number(seconds) * 1000));
}
