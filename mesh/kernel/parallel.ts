/**
 * Acts on every item, at most `limit` at a time. An error of one item keeps no other item from its turn; the first error
 * is thrown once all items had theirs.
 */
export async function inParallel<T>(
  limit: number,
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.map((item) => () => act(item));
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await next();
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}
