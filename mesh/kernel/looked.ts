/** Reading what may not be readable: the reason is a value, and costs nobody else what they have read. */

/** What was read, or why it could not be. */
export type Looked<T> = { seen: T } | { because: string };

export async function look<T>(read: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { seen: await read() };
  } catch (error) {
    return { because: error instanceof Error ? error.message : String(error) };
  }
}
