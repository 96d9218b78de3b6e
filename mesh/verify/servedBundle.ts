/** The bundle that an endpoint serves, and what puts right one that nobody can take. Pure. */
import type { Problem } from "../../components/shared/problem";
import { parseTrustBundle } from "../../components/bundle/trustBundle";
import { word } from "../../components/shared/shell";
import { madeOr } from "../kernel/looked";
import { bundleOfJwks } from "../spire/endpointBundle";
import { inServer } from "../spire/serverCommands";
import { fact, type MemberView, upAgain } from "./subjects";
import { see } from "./check";
import type { HeldBundle } from "../spire/bundle";

/** What a bundle is judged by. */
type Judging = Pick<MemberView, "now"> & { config: Pick<MemberView["config"], "trustDomain"> };

/** What the endpoint serves, or what is wrong with it. */
export const servedBundle = (view: Pick<MemberView, "presented"> & Judging): HeldBundle | Problem[] =>
  bundleIn(see(view.presented).body, view);

/** The bundle, or what is wrong with it. */
export function bundleIn(body: string, { config: { trustDomain }, now }: Judging): HeldBundle | Problem[] {
  const bundle = parseTrustBundle(body, trustDomain, now);
  return Array.isArray(bundle) ? bundle : bundleOfJwks(trustDomain, bundle.jwks);
}

/** By what is wrong: who answers there, the stack's config, or the SPIRE server itself. */
export function cureOfServed(view: MemberView, problems: readonly Problem[], route: string): string {
  const paths = problems.map(({ path }) => path);
  if (paths.every((path) => path === "bundle.spiffe_refresh_hint")) return upAgain(view);
  const keys = madeOr([], () => keysIn(see(view.presented).body));
  const odd = paths.flatMap((path) => {
    const key = keys[Number(/^bundle\.keys\[(\d+)\]/.exec(path)?.[1])];
    return key?.use === "jwt-svid" && typeof key.kid === "string" ? [key.kid] : [];
  });
  const own = madeOr(undefined, () => fact(view, "own").jwtKeys.map(({ id }) => id));
  const [id] = odd.filter((kid) => own?.includes(kid));
  if (id === undefined) return `see that the Route and its Service lead to the SPIRE server: ${route}`;
  const authority = (verb: string): string => inServer(view, `localauthority jwt ${verb}`);
  return (
    `the SPIRE server itself has this key. Have it sign with another one: ${authority("prepare")}, then activate what that ` +
    `names: ${authority("activate -authorityID ID")}; then revoke this one: ` +
    ["taint", "revoke"].map((verb) => authority(`${verb} -authorityID ${word(id)}`)).join(" && ")
  );
}

const keysIn = (body: string): { use?: unknown; kid?: unknown }[] =>
  (JSON.parse(body) as { keys: { use?: unknown; kid?: unknown }[] }).keys;
