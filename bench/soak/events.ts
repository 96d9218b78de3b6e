/** What happens to a mesh in an hour, in an order that a seed decides, and what may be refused meanwhile. */
import { type Cluster, NAMESPACE } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { startServerAnew } from "../../lab/client/server";
import { running } from "../../lab/client/workload";
import type { RotatedMember } from "../../mesh/rotate/rotated";
import type { Random } from "./random";
import type { Seen, World } from "./world";

/** A kind of traffic, and whose: the cluster's that the event is about, or everybody's. */
type Allowed = Partial<Record<Seen["kind"], "its own" | "all">>;

export interface Event {
  name: string;
  /** Why: docs/rotate.md. Nothing else may be refused. */
  allowed: Allowed;
  /** @returns a text where it ended otherwise than usual */
  run: (world: World, cluster: Cluster, random: Random) => Promise<unknown>;
}

/** A SPIRE server that restarts answers no poll; `federatesWith` is in its file, so a change of members restarts it. */
const RESTARTS: Allowed = { endpoint: "all" };

export const EVENTS: readonly Event[] = [
  {
    name: "restart of a SPIRE server",
    allowed: { endpoint: "its own" },
    run: (_, cluster) => startServerAnew(cluster),
  },
  {
    name: "restart of a SPIRE agent",
    // An agent that is away gives nobody an SVID, and validates none.
    allowed: { mTLS: "its own", JWT: "its own" },
    run: (_, cluster) => replaced(cluster, "spire-agent-", NAMESPACE),
  },
  {
    name: "restart of cert-manager",
    allowed: {},
    run: (_, cluster) => replaced(cluster, "cert-manager-", "cert-manager"),
  },
  {
    name: "restart of ZTWIM's operator",
    allowed: {},
    run: (_, cluster) => replaced(cluster, "zero-trust-workload-identity-manager-controller-manager-", NAMESPACE),
  },
  { name: "renewal of a certificate", allowed: {}, run: (_, cluster) => cluster.renew("spire-server-federation-tls") },
  { name: "`rotate --keys x509`", allowed: { JWT: "all" }, run: (world, cluster) => rotated(world, cluster, "x509") },
  { name: "`rotate --keys jwt`", allowed: {}, run: (world, cluster) => rotated(world, cluster, "jwt") },
  { name: "`up`, interrupted, and again", allowed: {}, run: (world, _, random) => world.interruptedUp(random(20_000)) },
  { name: "a member leaves, and joins again", allowed: RESTARTS, run: leavesAndJoins },
];

export const isAllowed = ({ allowed }: Event, cluster: Cluster, { kind, clusters }: Seen): boolean =>
  allowed[kind] === "all" || (allowed[kind] === "its own" && clusters.includes(cluster.name));

async function leavesAndJoins(world: World): Promise<void> {
  await world.leave();
  await world.join();
}

/** A rotation that would run into SPIRE's own is refused, and that is right. */
async function rotated(world: World, { name }: Cluster, keys: string): Promise<string | undefined> {
  const run = await world.tryMesh("rotate", name, "--keys", keys, "-o", "json");
  if (run.code === 0) return undefined;
  const { members = [] } = JSON.parse(run.stdout || "{}") as { members?: RotatedMember[] };
  const states = members.flatMap((member) => member.keys.map(({ state }) => state));
  if (states.length === 0 || states.some((state) => state === "waiting"))
    throw new Error(`rotate ${name}: exit code ${String(run.code)}\n${run.stdout}${run.stderr}`);
  process.stderr.write(
    members.flatMap((one) => one.keys.flatMap(({ because }) => `  ${because.join("; ")}\n`)).join(""),
  );
  return "refused, as it would not end in time";
}

/** Deletes the pods of that name, and waits until others are ready. */
async function replaced({ core }: Cluster, prefix: string, namespace: string): Promise<void> {
  const pods = async (): Promise<Awaited<ReturnType<typeof core.readNamespacedPod>>[]> =>
    (await core.listNamespacedPod({ namespace })).items.filter(({ metadata }) => metadata?.name?.startsWith(prefix));
  const old = (await pods()).map(({ metadata }) => metadata?.name ?? "");
  if (old.length === 0) throw new Error(`no pod ${prefix}* in ${namespace}`);
  for (const name of old) await core.deleteNamespacedPod({ name, namespace });
  await eventually(async () => {
    const now = await pods();
    if (now.length < old.length || now.some(({ metadata }) => old.includes(metadata?.name ?? "")))
      throw new Error(`${old.join(", ")} not replaced`);
    now.forEach(running);
  }, 300);
}
