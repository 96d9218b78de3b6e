import fc from "fast-check";
import { inParallel } from "../../../mesh/kernel/parallel";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("every item has its turn, whoever throws, and never more than the limit at a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (limit, items) => {
        const numbers = items.map((_, index) => index);
        const had: number[] = [];
        let [running, most] = [0, 0];
        const all = inParallel(limit, numbers, async (index) => {
          most = Math.max(most, ++running);
          await turn();
          if (index % 2 === 0) await turn(); // not all end in the order in which they began
          running--;
          had.push(index);
          if (items[index]) throw new Error(String(index));
          return index;
        });
        await all.then(
          (results) => {
            expect(items).not.toContain(true);
            expect(results).toEqual(numbers);
          },
          (error: unknown) => {
            expect(items).toContain(true);
            expect((error as Error).message).toBe(String(had.find((index) => items[index])));
          },
        );
        expect(had.sort((a, b) => a - b)).toEqual(numbers);
        expect(most).toBeLessThanOrEqual(limit);
      },
    ),
  );
});

test("an item that is undefined has its turn, and so have those behind it", async () => {
  const had: unknown[] = [];
  await inParallel(1, [undefined, "b"], (item) => Promise.resolve(had.push(item)));
  expect(had).toEqual([undefined, "b"]);
});
