/** Deletes bundles from a SPIRE server, and checks that they are gone. */
import { pause } from "../kernel/interruption";
import { workloadWarnings } from "./plan";
import { type Site, tracesOf, trustedIn } from "./traces";

/** How long the controller manager may take to drop a relationship whose object is gone; it takes a second. */
const PATIENCE_MS = 30_000;

export interface Forgotten {
  deleted: string[];
  /** What keeps the trust up. */
  left: string[];
  warnings: string[];
}

/**
 * Deletes the bundles once nothing fetches them again, and looks whether they are gone.
 *
 * @param all whatever the server trusts ends, and not only trust in the named trust domains
 */
export async function forgetAll(
  site: Site,
  named: readonly string[],
  { wait, signal, all = false }: { wait: boolean; signal: AbortSignal; all?: boolean },
): Promise<Forgotten> {
  const until = Date.now() + (wait ? PATIENCE_MS : 0);
  const deleted: string[] = [];
  for (;;) {
    const last = Date.now() >= until;
    const seen = await site.traces();
    const ends = all ? [...new Set([...named, ...trustedIn(seen)])] : named;
    const traces = tracesOf(seen, ends);
    const { bundles, asked } = traces;
    const left = asked.map(({ object, trustDomain }) => `${object} asks for ${trustDomain}`);
    for (const trustDomain of ends) {
      if (asked.some((one) => one.trustDomain === trustDomain)) continue;
      signal.throwIfAborted();
      if (await site.polls(trustDomain)) left.push(`its SPIRE server still fetches the bundle of ${trustDomain}`);
      else if (bundles.includes(trustDomain)) {
        await site.forget(trustDomain);
        deleted.push(trustDomain);
      }
    }
    if (left.length === 0) {
      const now = deleted.length === 0 ? traces : await site.traces();
      const held = (all ? now : tracesOf(now, ends)).bundles;
      left.push(...held.map((trustDomain) => `its SPIRE server still holds the bundle of ${trustDomain}`));
    }
    // What an object asks for does not end by itself.
    if (left.length <= asked.length || last) return { deleted, left, warnings: workloadWarnings(traces) };
    await pause(1000, signal);
  }
}
