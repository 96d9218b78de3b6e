/** `spire-federation verify` with its options: once, until all is well, or again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterAccess } from "../../components/access";
import { connect } from "../../components/connect";
import type { MeshMember } from "../members/members";
import { connectProbe } from "./probe/cluster";
import { PROBE_IMAGE } from "./probe/probeObjects";
import { probeMesh } from "./probe/probe";
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

const PAUSE_MS = 3000;

export interface VerifyOptions {
  precheck: boolean;
  watch: boolean;
  wait: boolean;
  /** How long to wait, in seconds. */
  timeout: number;
  probe: boolean;
  probeImage: string | undefined;
  /** Waits for, and shows, only what this leaves. */
  keep?: (seen: Verification) => Verification;
}

/** Who looks, and at what. */
export interface Looker {
  chosen: readonly MeshMember[];
  all: readonly MeshMember[];
  stacks: Pick<PulumiStacks, "published">;
  version: string;
  note: (line: string) => void;
  interrupted: () => boolean;
  /** The terminal, where there is one: what is written replaces what was there. */
  screen?: { redraw(text: string): void } | undefined;
}

/** With a probe, workloads are made once: when all is well, or is not waited for any more. */
export function lookOrWait(options: VerifyOptions, looker: Looker): Promise<Verification> {
  const seen = (chosen: readonly MeshMember[]): Promise<Verification> => lookAt(options, { ...looker, chosen });
  if (!options.probe) return seen(looker.chosen);
  const { note, interrupted } = looker;
  const image = options.probeImage ?? PROBE_IMAGE;
  return verifyWithProbe(looker.chosen, looker.all, {
    verify: seen,
    probe: (members) => probeMesh(members, { ...ownClaim(), connect: connectProbe, note, interrupted, image }),
    program: (access) =>
      spireServer(access)
        .program()
        .catch(() => undefined),
  });
}

async function lookAt(options: VerifyOptions, looker: Looker): Promise<Verification> {
  const { keep = (seen) => seen } = options;
  const { chosen, all: everybody, version, note, stacks, screen } = looker;
  const now = (): Date => new Date();
  if (options.precheck) return precheck(chosen, clusterAt, version, now());
  const look = (): Promise<Verification> =>
    verify(chosen, everybody, {
      cluster: clusterAt,
      endpoint: presentedAt,
      published: (reference) => stacks.published(reference),
      now,
      version,
      note: screen === undefined ? note : () => undefined,
    });
  const { interrupted } = looker;
  const pause = async (): Promise<void> => {
    for (let waited = 0; waited < PAUSE_MS && !interrupted(); waited += PAUSE_MS / 10) await sleep(PAUSE_MS / 10);
  };
  if (options.watch) {
    return again({
      look,
      interrupted,
      pause,
      more: () => true,
      show: (seen) => screen?.redraw(`${seen.at}, Ctrl-C ends it\n\n${printSummary(keep(seen))}`),
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
        note("stops waiting: what is left cannot be seen for want of rights");
      }
    },
  });
}

const clusterAt = (access: ClusterAccess): Sources => ({
  reader: connect(access),
  api: apiServer(access),
  server: spireServer(access),
});
