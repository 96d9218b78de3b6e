import { atMost } from "../../components/shared/atMost";

/**
 * Acts on every item, at most `limit` at a time, and gives what came of each, in the order of the items. An error of one
 * item keeps no other item from its turn; the first error is thrown once all items had theirs.
 */
export async function inParallel<Item, Result>(
  limit: number,
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const errors: unknown[] = [];
  const attempt = atMost(limit, async (item: Item, index: number) => {
    try {
      results[index] = await act(item);
    } catch (error) {
      errors.push(error);
    }
  });
  await Promise.all(items.map((item, index) => attempt(item, index)));
  if (errors.length > 0) throw errors[0];
  return results;
}
