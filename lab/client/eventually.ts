import { setTimeout as sleep } from "node:timers/promises";

/** Repeats `attempt` until it doesn't throw; after `seconds` its last error is thrown. A bound against hanging, not a measurement. */
export async function eventually<T>(attempt: () => Promise<T>, seconds = 120): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
}
