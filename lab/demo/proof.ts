/** Evidence that two clusters trust each other, gathered from their APIs, endpoints and SPIRE servers. */
import type { V1Pod } from "../../components/cluster/kubernetesClient";
import type { Cluster } from "../client/cluster";
import { eventually } from "../client/eventually";
import { handshake, Workload } from "../client/workload";

/** Prints one line per fact; returns how many did not hold. */
export async function prove(clusters: Cluster[], print: (line: string) => void): Promise<number> {
  let failures = 0;
  const fact = async (title: string, find: () => Promise<string>): Promise<void> => {
    try {
      print(`  √ ${title}: ${await find()}`);
    } catch (error) {
      failures += 1;
      print(`  × ${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const cluster of clusters) {
    print(`\n${cluster.name} (trust domain ${cluster.trustDomain})`);
    for (const pod of await cluster.pods())
      await fact(`pod ${pod.metadata?.name ?? ""}`, () => Promise.resolve(running(pod)));
    await fact("route spire-server-federation", () => route(cluster));
    await fact(`endpoint https://${cluster.host}`, () => endpoint(cluster));
  }
  const sites = await Promise.all(clusters.map((cluster) => workloads(cluster, clusters)));
  for (const [from, to] of pairs(sites)) {
    const [here, there] = [from.cluster, to.cluster];
    print(`\n${here.name} -> ${there.name}`);
    await fact(`SPIRE server of ${here.name} holds what ${there.name} serves`, () => held(here, there));
    await fact("mTLS between workloads", () => eventually(() => handshake(from.member, to.member), 30));
    await fact("no mTLS for one that federates with nobody", () => refusal(from.loner, to.member));
  }
  return failures;
}

/** Every ordered pair of two different members. */
export function pairs<T>(members: readonly T[]): [T, T][] {
  return members.flatMap((a) => members.filter((b) => b !== a).map((b): [T, T] => [a, b]));
}

/** Throws unless `from`'s SPIRE server holds exactly the X.509 roots and JWT keys that `to` serves. */
export async function held(from: Cluster, to: Cluster): Promise<string> {
  const [holds, { keys: serves }] = await Promise.all([from.heldKeys(to.trustDomain), to.endpoint()]);
  if (holds === undefined) throw new Error(`no bundle of ${to.trustDomain}`);
  if (JSON.stringify(holds) !== JSON.stringify(serves)) {
    throw new Error(`holds ${JSON.stringify(holds)}, ${to.name} serves ${JSON.stringify(serves)}`);
  }
  const roots = serves.x509.map((sha256) => sha256.slice(0, 16)).join(", ");
  return `X.509 roots sha256 ${roots}…, ${serves.jwt.length} JWT keys`;
}

async function workloads(
  cluster: Cluster,
  all: Cluster[],
): Promise<{ cluster: Cluster; member: Workload; loner: Workload }> {
  const peers = all.filter((other) => other !== cluster).map(({ trustDomain }) => trustDomain);
  const [member, loner] = await Promise.all([
    Workload.deploy(cluster, "member", peers),
    Workload.deploy(cluster, "loner"),
  ]);
  return { cluster, member, loner };
}

/** Why `from` doesn't trust `to`; throws when it does, and for any other reason than the missing bundle. */
async function refusal(from: Workload, to: Workload): Promise<string> {
  let met: string;
  try {
    met = await handshake(from, to);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no X.509 bundle")) return error.message;
    throw error;
  }
  throw new Error(met);
}

export function running(pod: V1Pod): string {
  const containers = pod.status?.containerStatuses ?? [];
  const ready = containers.filter((c) => c.ready).length;
  const text = `${pod.status?.phase ?? "unknown"}, ${ready}/${containers.length} ready`;
  if (pod.status?.phase !== "Running" || ready !== containers.length) throw new Error(text);
  return text;
}

async function route(cluster: Cluster): Promise<string> {
  const { route: found, admitted } = await cluster.admission();
  const text = `host ${found.spec?.host ?? "none"}, ${found.spec?.tls?.termination ?? "no TLS"}, certificate from secret ${found.spec?.tls?.externalCertificate?.name ?? "none"}`;
  if (admitted?.status !== "True")
    throw new Error(`${text}; Admitted=${admitted?.status ?? "unknown"} ${admitted?.message ?? ""}`);
  return `${text}, admitted`;
}

async function endpoint(cluster: Cluster): Promise<string> {
  const { certificate, keys } = await cluster.endpoint();
  return `certificate of ${String(certificate.issuer.CN)} for ${certificate.subjectaltname ?? "no host"} until ${certificate.valid_to}, serves ${keys.x509.length} X.509 roots and ${keys.jwt.length} JWT keys`;
}
