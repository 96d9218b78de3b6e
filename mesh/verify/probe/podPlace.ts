/** Makes the objects of a probe in one cluster, and takes them away again. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterAccess, oc } from "../../../components/cluster/access";
import { Forbidden, type KubeObject } from "../../../components/cluster/cluster";
import type { Fate } from "../../pulumi/liveness";
import { type Claim, describeClaim, isAtWork, readClaim } from "./claim";
import type { ProbeCluster } from "./cluster";
import {
  CLAIM,
  claimObject,
  type Made,
  type Named,
  NAMESPACE,
  objects,
  PROBE,
  type Prober,
  TEMPORARY,
} from "./probeObjects";

/** Somebody else's probe is there, and is left alone. */
export class Busy extends Error {}

/** Whoever waits no longer. */
export class Ended extends Error {}

export interface Turn {
  cluster: ProbeCluster;
  claim: Claim;
  /** What has become of the process that has another claim. */
  fate: (claim: Claim) => Fate;
  note: (line: string) => void;
  /** This probe has made the namespace. */
  madeNamespace?: boolean;
  /** Its claim may be there: it was asked for, and not refused. */
  mayBeClaimed?: boolean;
  /** Throws Ended when there is no more time, or somebody has interrupted the program. */
  goOn: () => void;
}

const AGAIN_MS = 500;
/** How long a new namespace may be without what the SCCs need, which another controller writes into it. */
const ADMISSION_MS = 15_000;
/** A pod ends within seconds, its namespace somewhat later. */
const GONE_MS = 60_000;

/**
 * Makes the claim of this probe: from then on it is alone here, and has to take everything away.
 *
 * @throws Busy when somebody else's is there
 */
export async function claimPlace(turn: Turn, prober: Prober, peers: readonly Prober[]): Promise<void> {
  const { cluster, claim, goOn } = turn;
  for (;;) {
    goOn();
    const namespace = await cluster.get("v1", "Namespace", PROBE);
    if (namespace === undefined && (await cluster.create(NAMESPACE))) turn.madeNamespace = true;
    if (!isEnding(namespace)) {
      if (await createClaim(turn, claimObject(claim, prober, peers))) return;
      await makeRoom(turn);
    }
    await sleep(AGAIN_MS);
  }
}

/** Takes away what a probe that was killed has left. */
async function makeRoom({ cluster, fate, note }: Turn): Promise<void> {
  const found = await cluster.get("v1", "ConfigMap", PROBE, PROBE);
  if (found === undefined) return; // it has just gone
  const other = readClaim(found.metadata?.annotations?.[CLAIM]);
  const whose = other === undefined ? "" : ` of ${describeClaim(other)}`;
  if (isAtWork(other, fate, Date.now())) throw new Busy(`a probe${whose} is there; wait until it has ended`);
  note(`takes away what a probe${whose} has left`);
  const left = await takeAway(cluster);
  if (left !== undefined) throw new Error(left);
}

/** Whether the claim that is there is this one. */
export async function isClaimed({ cluster, claim }: Turn): Promise<boolean> {
  const found = await cluster.get("v1", "ConfigMap", PROBE, PROBE);
  return found?.metadata?.annotations?.[CLAIM] === JSON.stringify(claim);
}

/** Undefined stands for a namespace that has just begun to end. */
async function createClaim(turn: Turn, object: Made): Promise<boolean | undefined> {
  const { cluster } = turn;
  try {
    turn.mayBeClaimed = true; // also when no answer comes
    return await cluster.create(object);
  } catch (error) {
    if (error instanceof Forbidden) turn.mayBeClaimed = false;
    if (isEnding(await cluster.get("v1", "Namespace", PROBE))) return undefined;
    throw error;
  }
}

const isEnding = (object: KubeObject | undefined): boolean => object?.metadata?.deletionTimestamp !== undefined;

export async function makeWorkload(
  { cluster, goOn }: Turn,
  prober: Prober,
  peers: readonly Prober[],
  image: string,
): Promise<void> {
  for (const object of objects(prober, peers, image)) {
    goOn();
    const create = async (): Promise<void> => {
      if (!(await cluster.create(object)))
        throw new Error(`${object.kind} ${PROBE} is there already, of nobody's probe`);
    };
    // What lies in no namespace may have outlived it.
    if (object.metadata.namespace === undefined) await cluster.apply(object);
    else if (object.kind === "Pod") await admitted(create, goOn);
    else await create();
  }
}

async function admitted(create: () => Promise<void>, goOn: () => void): Promise<void> {
  const end = Date.now() + ADMISSION_MS;
  for (;;) {
    try {
      await create();
      return;
    } catch (error) {
      if (Date.now() > end || !/security context constraint|sa\.scc/.test(String(error))) throw error;
    }
    goOn();
    await sleep(AGAIN_MS);
  }
}

/** The claim apart. */
const REST: readonly Named[] = objects({ member: "", trustDomain: "", ingressDomain: "" }, [], "").reverse();
const [POD] = REST as [Named];
const CLAIMED: Named = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: PROBE, namespace: PROBE } };

/** @returns why something is left, after a while; undefined when nothing is */
export async function takeAway(cluster: ProbeCluster): Promise<string | undefined> {
  const end = Date.now() + GONE_MS;
  for (;;) {
    const left = await removeAll(cluster).catch((error: unknown) => (error as Error).message);
    if (left === undefined || Date.now() > end) return left;
    await sleep(AGAIN_MS);
  }
}

/** Once; it can be done again at any point. */
async function removeAll(cluster: ProbeCluster): Promise<string | undefined> {
  const namespace = await cluster.get("v1", "Namespace", PROBE);
  for (const object of isEnding(namespace) ? WITHOUT_NAMESPACE : REST) await cluster.remove(object);
  if (namespace === undefined) return undefined;
  if (!isEnding(namespace)) {
    if ((await cluster.get(POD.apiVersion, POD.kind, PROBE, PROBE)) !== undefined) return `Pod ${PROBE} does not end`;
    const temporary = namespace.metadata?.annotations?.[TEMPORARY] !== undefined;
    // The claim goes last: from then on somebody else may begin.
    await cluster.remove(temporary ? NAMESPACE : CLAIMED);
    if (!temporary) return undefined;
  }
  return `Namespace ${PROBE} does not end`;
}

const WITHOUT_NAMESPACE = REST.filter(({ metadata }) => metadata.namespace === undefined);

/**
 * Removes the namespace that a probe has made and could not claim, unless another probe has claimed it.
 *
 * @returns why it is left; undefined when it is gone, or another probe's
 */
export async function removeNamespace(cluster: ProbeCluster): Promise<string | undefined> {
  const end = Date.now() + GONE_MS;
  try {
    if ((await cluster.get("v1", "ConfigMap", PROBE, PROBE)) !== undefined) return undefined;
    await cluster.remove(NAMESPACE);
    while ((await cluster.get("v1", "Namespace", PROBE)) !== undefined) {
      if (Date.now() > end) return `Namespace ${PROBE} is still being deleted`;
      await sleep(AGAIN_MS);
    }
    return undefined;
  } catch (error) {
    return `Namespace ${PROBE} is left: ${(error as Error).message}`;
  }
}

export const removeNamespaceCommand = (access: ClusterAccess): string =>
  oc(access, `delete namespace ${PROBE} --ignore-not-found`);

/** What does the same by hand; a namespace without anything in it is the next probe's to remove. */
export const cleanUpCommand = (access: ClusterAccess): string => {
  const all = [...REST, CLAIMED].map(({ kind }) => `${kind.toLowerCase()}/${PROBE}`);
  return oc(access, `delete -n ${PROBE} --ignore-not-found ${all.join(" ")}`);
};
