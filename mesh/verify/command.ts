/** `spire-federation verify` with its options: once, until all is well, or again and again. */
import type { ClusterAccess } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { pause as wait } from "../kernel/interruption";
import type { MeshMember } from "../members/members";
import { connectProbe } from "./probe/cluster";
import { PROBE_IMAGE } from "./probe/probeObjects";
import { type ProbeIo, probeMesh } from "./probe/probe";
import { ownClaim } from "./probe/self";
import type { PulumiStacks } from "../pulumi/operations";
import { spireServer } from "../spire/spireServer";
import { apiServer } from "./apiServer";
import type { Sources } from "./memberFacts";
import { again, isWell, isWorthWaiting, waitsFor } from "./patience";
import { precheck } from "./precheck";
import { presentedAt } from "./presented";
import { printSummary } from "./summaryText";
import type { Verification } from "./verification";
import { verify } from "./verify";
import { verifyWithProbe } from "./withProbe";

/** A look takes some forty requests of each member, and three processes beside its SPIRE server. */
const WATCH_SECONDS = 30;
const WAIT_SECONDS = 10;

export interface VerifyOptions {
  precheck: boolean;
  watch: boolean;
  wait: boolean;
  /** How long to wait, in seconds. */
  timeout: number;
  /** Between two looks, in seconds. */
  interval: number | undefined;
  /** How many members are looked at at the same time. */
  parallel: number;
  /** How long one request to a cluster may take, in seconds. */
  requestTimeout: number;
  probe: boolean;
  probeImage: string | undefined;
  /** Waits for, and shows, only what this leaves. */
  keep?: (seen: Verification) => Verification;
}

/** What a verification works with. */
export interface Looker {
  chosen: readonly MeshMember[];
  all: readonly MeshMember[];
  /** What is wrong with the file of a peer, by the peer's id. */
  unread: ReadonlyMap<string, string>;
  stacks: Pick<PulumiStacks, "published">;
  version: string;
  note: (line: string) => void;
  /** Remembers what a probe has made, until it is gone. */
  made: ProbeIo["made"];
  /** Once it is aborted nothing more begins. */
  signal: AbortSignal;
  /** The terminal, where there is one: what is written replaces what was there. */
  screen?: { redraw(text: string): void } | undefined;
}

/** With a probe, workloads are made once: when all is well, or is not waited for any more. */
export function lookOrWait(options: VerifyOptions, looker: Looker): Promise<Verification> {
  const seen = (chosen: readonly MeshMember[]): Promise<Verification> => lookAt(options, { ...looker, chosen });
  if (!options.probe) return seen(looker.chosen);
  const { note, made, signal } = looker;
  const interrupted = (): boolean => signal.aborted;
  const image = options.probeImage ?? PROBE_IMAGE;
  return verifyWithProbe(looker.chosen, looker.all, {
    verify: seen,
    probe: (members) => probeMesh(members, { ...ownClaim(), connect: connectProbe, note, made, interrupted, image }),
    program: (access) =>
      spireServer(access, signal)
        .program()
        .catch(() => undefined),
  });
}

async function lookAt(options: VerifyOptions, looker: Looker): Promise<Verification> {
  const { keep = (seen) => seen } = options;
  const { chosen, all: everybody, unread, version, note, stacks, screen, signal } = looker;
  const requestMs = options.requestTimeout * 1000;
  const clusterAt = (access: ClusterAccess): Sources => ({
    reader: connect(access, signal, requestMs),
    api: apiServer(access, signal, requestMs),
    server: spireServer(access, signal, requestMs),
  });
  const now = (): Date => new Date();
  if (options.precheck) return precheck(chosen, clusterAt, version, now(), options.parallel);
  const look = (): Promise<Verification> =>
    verify(chosen, everybody, {
      cluster: clusterAt,
      endpoint: presentedAt,
      published: (reference) => stacks.published(reference),
      now,
      parallel: options.parallel,
      unread,
      version,
      note: screen === undefined ? note : () => undefined,
    });
  const interrupted = (): boolean => signal.aborted;
  const seconds = options.interval ?? (options.watch ? WATCH_SECONDS : WAIT_SECONDS);
  const pause = (): Promise<void> => wait(seconds * 1000, signal).catch(() => undefined);
  if (options.watch) {
    return again({
      look,
      interrupted,
      pause,
      more: () => true,
      show: (seen) => screen?.redraw(`${seen.at}, Ctrl-C ends it\n\n${printSummary(keep(seen), false, true)}`),
    });
  }
  const end = Date.now() + (options.wait ? options.timeout * 1000 : 0);
  let said = "";
  return again({
    look,
    interrupted,
    pause,
    more: (seen) => isWorthWaiting(keep(seen)) && Date.now() < end,
    show: (all) => {
      const seen = keep(all);
      const waited = waitsFor(seen);
      if (options.wait && waited !== said && waited !== "") note(`waiting for ${waited}`);
      said = waited;
      if (options.wait && !isWell(seen) && !isWorthWaiting(seen)) {
        note(
          "stopped waiting: what is left stays as it is, by the config, for want of a right or because it cannot be seen from here",
        );
      }
    },
  });
}
