import { createHash } from "node:crypto";

/**
 * Moments at which a test kills something, one in each of so many equal parts of a run, each from 0 to 1. They are others in each
 * run; KILL_SEED, which is printed, repeats one.
 */
export function killPoints(parts: number): number[] {
  const seed = process.env["KILL_SEED"] ?? String(Date.now());
  const points = Array.from({ length: parts }, (_, part) => {
    const hash = createHash("sha256")
      .update(`${seed} ${String(part)}`)
      .digest();
    return (part + hash.readUInt32BE() / 2 ** 32) / parts;
  });
  process.stderr.write(`KILL_SEED=${seed}: kills at ${points.map((point) => point.toFixed(2)).join(", ")} of a run\n`);
  return points;
}
