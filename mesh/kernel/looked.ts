/** A failed read returns its reason, so that other reads are kept. */

import { Forbidden } from "../../components/cluster/cluster";
import { redactedText } from "./redactedText";

/** What was read, or why it could not be. */
export type Looked<T> = { seen: T } | NotLooked;

export interface NotLooked {
  because: string;
  /** A right is missing, or the kubeconfig leads nowhere: to look again shows the same. */
  forbidden?: true;
}

export async function look<T>(read: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { seen: await read() };
  } catch (error) {
    return reasonOf(error);
  }
}

/** Reads all at once, each by itself. */
export async function lookAtEach<T extends object>(reads: { [K in keyof T]: () => Promise<T[K]> }): Promise<{
  [K in keyof T]: Looked<T[K]>;
}> {
  const each = Object.entries<() => Promise<unknown>>(reads).map(async ([key, read]) => [key, await look(read)]);
  return Object.fromEntries(await Promise.all(each)) as { [K in keyof T]: Looked<T[K]> };
}

/** The same of what is made of something that was read. */
export function unlessBroken<T>(make: () => Looked<T>): Looked<T> {
  try {
    return make();
  } catch (error) {
    return reasonOf(error);
  }
}

/** What is made, or something else where it cannot be made. */
export function madeOr<T>(otherwise: T, make: () => T): T {
  const made = unlessBroken(() => ({ seen: make() }));
  return "seen" in made ? made.seen : otherwise;
}

function reasonOf(error: unknown): NotLooked {
  const because = redactedText(error instanceof Error ? error.message : String(error));
  const stays = error instanceof Forbidden || (error instanceof Error && error.name === "AccessError");
  return stays ? { because, forbidden: true } : { because };
}
