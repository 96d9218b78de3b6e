import { once } from "../../../mesh/kernel/once";

test("an answer is kept, and an error is not", async () => {
  const asked: string[] = [];
  const ask = once(
    (key: string) => key,
    (key) => {
      asked.push(key);
      return asked.length === 1 ? Promise.reject(new Error("away")) : Promise.resolve(asked.length);
    },
  );
  await expect(ask("a")).rejects.toThrow("away");
  expect(await Promise.all([ask("a"), ask("a")])).toEqual([2, 2]);
  expect(asked).toEqual(["a", "a"]);
});
