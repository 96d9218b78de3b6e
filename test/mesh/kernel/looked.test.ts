import { look, unlessBroken } from "../../../mesh/kernel/looked";
import { PulumiError } from "../../../mesh/pulumi/runPulumi";

test("a reason has no password in it", async () => {
  const error = new Error("proxy http://u:geheim@proxy:3128 refused it");
  const reason = { because: "proxy http://u:(not shown)@proxy:3128 refused it" };
  expect(await look(() => Promise.reject(error))).toEqual(reason);
  expect(
    unlessBroken(() => {
      throw error;
    }),
  ).toEqual(reason);
  expect(new PulumiError(error.message, "").message).toBe(reason.because);
});
