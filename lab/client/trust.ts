/** Whether clusters trust each other, as their endpoints and SPIRE servers have it. */
import type { Cluster } from "./cluster";

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
