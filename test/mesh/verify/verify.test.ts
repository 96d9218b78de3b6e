import { faults, look } from "./fixture";
import { verifyExit } from "../../../mesh/verify/verification";

test("a mesh that is well has nothing but passing checks, in every direction", async () => {
  const healthy = await look();
  expect(faults(healthy)).toEqual([]);
  expect(healthy.pairs).toHaveLength(6);
  expect(verifyExit(healthy)).toBe(0);
});
