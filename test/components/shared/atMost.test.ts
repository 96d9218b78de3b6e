import { atMost } from "../../../components/shared/atMost";

test("at most so many run at a time, all of them have their turn, and an error frees its place", async () => {
  let running = 0;
  let most = 0;
  const act = atMost(3, async (value: number) => {
    most = Math.max(most, ++running);
    await new Promise((done) => setImmediate(done));
    running--;
    if (value % 4 === 0) throw new Error(String(value));
    return value;
  });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, value) => act(value)));
  expect(most).toBe(3);
  expect(
    results.map((one) => (one.status === "fulfilled" ? one.value : Number((one.reason as Error).message))),
  ).toEqual(Array.from({ length: 20 }, (_, value) => value));
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(5);
  await expect(act(1)).resolves.toBe(1);
});
