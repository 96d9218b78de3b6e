/**
 * Reads again what fails in passing: an API server that restarts or is busy, as OpenShift's do at each change of a certificate
 * or of their configuration. Only for reads, which change nothing when they are made twice.
 */
import { ApiException } from "./kubernetesClient";

/** Before the second and the third try; with them, all tries begin within 5 seconds. */
const PAUSES_MS = [1000, 3000];

/**
 * What a read gives, at the third try at the latest.
 *
 * @param signal nothing is tried again once it is aborted
 * @param inPassing whether a failure is one that ends by itself
 */
export async function again<T>(
  read: () => Promise<T>,
  signal?: AbortSignal,
  inPassing: (error: unknown) => boolean = passes,
): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await read();
    } catch (error) {
      if (signal?.aborted || !inPassing(error)) throw error;
      await sleep(Math.min(retryAfter(error) ?? pause, pause), signal);
      if (signal?.aborted) throw error;
    }
  }
  return read();
}

/** Codes of an answer that passes. */
export const PASSING = [429, 502, 503, 504];

function passes(error: unknown): boolean {
  if (error instanceof ApiException) {
    const body: unknown = error.body;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return PASSING.includes(error.code) || (error.code === 500 && text.includes("etcdserver"));
  }
  const { code, message = "" } = error as { code?: string; message?: string };
  return code === "ECONNRESET" || message.includes("socket hang up");
}

/** What the API server asks for, in milliseconds. */
function retryAfter(error: unknown): number | undefined {
  if (!(error instanceof ApiException)) return undefined;
  const headers: Record<string, string | undefined> = error.headers;
  const seconds = Number(headers["retry-after"] ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
