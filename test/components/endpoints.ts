/** In place of components/bundle/bundleFetch in tests of components: endpoints that answer without a network. */
import type { Endpoint } from "../../components/bundle/bundleFetch";
import type { Peer } from "../../components/bundle/peer";
import { pinned } from "../../components/bundle/pinnedRoots";
import { parseTrustBundle, type TrustBundle } from "../../components/bundle/trustBundle";
import type { Problem } from "../../components/shared/problem";
import { peerBundle } from "./given";
import { ready, type Verdict, waiting } from "../../components/waiting/readiness";

type Answer = (endpoint: Endpoint) => object | Error;

/** Whom the components have asked since the answer was given. */
export let asked: Endpoint[] = [];
let answer: Answer = () => peerBundle;

/** What endpoints answer from now on. */
export function useEndpoints(next: Answer): void {
  asked = [];
  answer = next;
}

export function fetchNow(endpoint: Endpoint): Promise<string> {
  asked.push(endpoint);
  const body = answer(endpoint);
  return body instanceof Error ? Promise.reject(body) : Promise.resolve(JSON.stringify(body));
}

export async function fetchFirst(peer: Peer): Promise<TrustBundle | Problem[]> {
  return pinned(parseTrustBundle(await fetchNow(peer), peer.trustDomain, new Date()), peer);
}

export const lookAtWebEndpoint = (endpoint: Endpoint): Promise<Verdict> =>
  fetchNow(endpoint).then(
    () => ready,
    (error: unknown) => waiting((error as Error).message),
  );
