/** The same function, of which at most `limit` calls run at a time; the others wait for their turn. */
export function atMost<Args extends unknown[], Result>(
  limit: number,
  act: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (...args) => {
    if (running === limit) await new Promise<void>((turn) => waiting.push(turn));
    else running++;
    try {
      return await act(...args);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
