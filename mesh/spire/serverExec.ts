/** A command in the SPIRE server's container, by the exec of the Kubernetes API. */
import { PassThrough } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "../../components/cluster/kubernetesClient";
import type { ClusterAccess } from "../../components/cluster/access";
import { Forbidden } from "../../components/cluster/cluster";
import { describeCluster, kubeConfig, REQUEST_MS } from "../../components/cluster/connect";
import { again, PASSING } from "../../components/cluster/readAgain";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import { POD } from "./serverCommands";

/** The program ran, and ended with an exit code other than 0. */
export class Refused extends Error {}

/** The container has no program of that path, so nothing was asked and nothing was answered. */
export class NoProgram extends Error {}

/** Runs a program with arguments, and gives what it writes to stdout. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<string>;

/** A command that was started, or was to be: the status that the API server sends at its end, and what was written. */
export interface ExecResult {
  status: V1Status;
  out: string;
  err: string;
}

/**
 * @param requestMs a command that takes longer fails. Default 10 seconds
 * @throws NoProgram when the container has no such program; Refused when it ended with an exit code; Forbidden when
 * exec is not allowed; Error when the command could not be run, or the signal was aborted before
 */
export function runIn(access: ClusterAccess, signal?: AbortSignal, requestMs = REQUEST_MS): RunProgram {
  return async (program, args) => {
    const config = impatient(kubeConfig(access, signal, requestMs), requestMs);
    const what = `${describeCluster(access, config)}: cannot run ${[program, ...args.slice(0, 2)].join(" ")} in ${OPERAND_NAMESPACE}/${POD}`;
    if (signal?.aborted) throw new Error(`${what}: interrupted`);
    return outputOf(what, program, await exec(config, [program, ...args], what, requestMs, signal));
  };
}

/** What the program wrote. Pure. */
export function outputOf(what: string, program: string, { status, out, err }: ExecResult): string {
  if (status.status === "Success") return out;
  const exitCode = exitCodeOf(status);
  // CRI-O gives an exit code for a program that is not there, and says why on stderr; containerd gives an InternalError.
  const why = err.trim() || (status.message ?? "it doesn't say why");
  if (isMissing(program, why)) throw new NoProgram(`${what}: there is no such file in its container`);
  if (exitCode === undefined) throw new Error(`${what}: ${why}`);
  throw new Refused(`${what}: ${why}`);
}

/** Undefined when the program did not run to its end. */
function exitCodeOf({ reason, details }: V1Status): string | undefined {
  if (reason !== "NonZeroExitCode") return undefined;
  return details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
}

/** Runtimes quote the program that they don't find; the program's own errors are about other files, such as its socket. */
function isMissing(program: string, why: string): boolean {
  const quoted = ['"', "'", "`"].some((quote) => why.replaceAll('\\"', '"').includes(`${quote}${program}${quote}`));
  return quoted && /no such file or directory|not found/i.test(why);
}

async function exec(
  config: KubeConfig,
  command: string[],
  what: string,
  requestMs: number,
  signal: AbortSignal | undefined,
): Promise<ExecResult> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const [said, complaint] = [collected(out), collected(err)];
  const run = (): Promise<V1Status> => {
    let giveUp: NodeJS.Timeout | undefined;
    return new Promise<V1Status>((done, fail) => {
      const socket = new Exec(config).exec(OPERAND_NAMESPACE, POD, SPIRE_SERVER, command, out, err, null, false, done);
      socket.catch(fail);
      const end = (because: string): void => {
        fail(new Error(because));
        // An open socket would keep the program running.
        (socket as Promise<{ terminate(): void }>).then((open) => {
          open.terminate();
        }, fail);
      };
      for (const stream of [out, err])
        stream.on("error", (error) => {
          end(error.message);
        });
      giveUp = setTimeout(() => {
        end(`no answer within ${requestMs / 1000} s; is the cluster up and reachable from here?`);
      }, requestMs);
    }).finally(() => {
      clearTimeout(giveUp);
    });
  };
  // Behind a WebSocket that was refused nothing has begun; after any other failure the command may have run.
  const refused = (error: unknown): boolean => PASSING.includes(httpStatusOf((error as Error).message) ?? 0);
  const status = await again(run, signal, refused).catch((error: unknown) => {
    const { message } = error as Error;
    const Failure = httpStatusOf(message) === 403 ? Forbidden : Error;
    throw new Failure(`${what}: ${message}`, { cause: error });
  });
  return { status, out: said(), err: complaint() };
}

/** A bundle is some kilobytes; whoever answers without an end is not listened to. */
const MOST_BYTES = 16_000_000;

/** Gathers what a command writes; the stream fails when that is too much. */
export function collected(stream: PassThrough): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) stream.destroy(new Error(`it answers more than ${MOST_BYTES / 1e6} MB`));
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** Of a WebSocket that the API server refuses: its client has the code in its message, and nowhere else. */
export function httpStatusOf(message: string): number | undefined {
  const [, code] = /^Unexpected server response: (\d{3})$/.exec(message) ?? [];
  return code === undefined ? undefined : Number(code);
}

/** The client would wait for ever for an API server that accepts a connection and says nothing. */
function impatient(config: KubeConfig, requestMs: number): KubeConfig {
  const apply = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await apply(options);
    Object.assign(options, { handshakeTimeout: requestMs });
  };
  return config;
}
