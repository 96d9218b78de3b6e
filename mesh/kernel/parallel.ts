/** Does all of them, at most `limit` at a time; what one of them throws is thrown when all are through. */
export async function inParallel<T>(
  limit: number,
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const broken = results.find((result) => result.status === "rejected");
  if (broken) throw broken.reason;
}
