/** Numbers that a seed decides. */
import { createHash } from "node:crypto";

/** From 0 to below `limit`. */
export type Random = (limit: number) => number;

export function randomBy(seed: number): Random {
  let asked = 0;
  return (limit) => {
    const hash = createHash("sha256")
      .update(`${String(seed)} ${String(asked++)}`)
      .digest();
    return Math.floor((hash.readUInt32BE() / 2 ** 32) * limit);
  };
}
