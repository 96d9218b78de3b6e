/**
 * What a SpireServer that the stack is to own whole may change of the live one. Pure.
 *
 * Nobody's choice is overwritten: what differs and was set by somebody else is refused until `spireServer.takeOver` names
 * it. And nothing falls back to a default that would lose data or that the API server would refuse.
 */
import { isDeepStrictEqual } from "node:util";
import { type ClusterAccess, oc } from "../components/cluster/access";
import { parseDuration } from "../components/shared/arguments";
import type { KubeObject } from "../components/cluster/cluster";
import { owners } from "../components/cluster/fieldOwners";
import { FIELD_MANAGER } from "../components/shared/names";
import type { Problem } from "../components/shared/problem";
import { fieldAt, REQUIRED } from "../components/spireServer/spireServerSchema";
import { leaves, renderSpireServerSpec } from "../components/spireServer/spireServerSpec";
import { isObject } from "../components/shared/untyped";
import { describeRelease, type ZtwimRelease } from "../components/spireServer/ztwimRelease";
import type { ManagedSpireServer } from "./spireServerConfig";

export type LiveSpireServer = KubeObject & { spec?: Record<string, unknown> };

type Path = readonly string[];

/** Everything that the live SpireServer has against the config. */
export function judgeSpireServer(
  managed: ManagedSpireServer | undefined,
  live: LiveSpireServer | undefined,
  access: ClusterAccess,
): Problem[] {
  if (managed === undefined) return live === undefined ? [] : wouldBeLost(live, access);
  if (managed.notShown.includes("")) return [];
  if (live === undefined) return missing(managed);
  return [...differing(managed, live), ...dropped(managed, live, access)];
}

/** An API server of 1.0 drops the field without a word, and the server would go on signing with its own CA. */
export function judgeUpstreamAuthority(release: ZtwimRelease): Problem[] {
  if (release.upstreamAuthority !== false) return [];
  const cure = "update ZTWIM to 1.1, or take upstreamAuthority out";
  return [
    at("upstreamAuthority", `is not known to the cluster's ZTWIM, which is ${describeRelease(release)}; ${cure}`),
  ];
}

/** Of a SpireServer that is to be made, what has no default, or whose default is no choice to be made by itself. */
function missing(managed: ManagedSpireServer): Problem[] {
  const has = (...path: string[]): boolean => isSet(managed, path);
  const problems = REQUIRED.filter((key) => !has(key)).map((key) =>
    at(key, "is not set, and the cluster has no SpireServer that has it; set it"),
  );
  const { databaseType = "sqlite3" } = managed.spec.datastore ?? {};
  if (databaseType !== "sqlite3" && !has("datastore", "connectionString")) {
    problems.push(at("datastore.connectionString", `is not set, and ${databaseType} has no default for it; set it`));
  }
  if (has("datastore", "connectionString") && !has("datastore", "databaseType")) {
    problems.push(at("datastore.databaseType", "is not set, but connectionString is; set it, for example to postgres"));
  }
  return problems;
}

/** Fields that the config sets and that are different in the cluster, as far as they may not be changed. */
function differing({ spec, takeOver }: ManagedSpireServer, live: LiveSpireServer): Problem[] {
  const problems: Problem[] = [];
  let next = takeOver.length;
  for (const { path, value } of leaves(renderSpireServerSpec(spec))) {
    const there = valueAt(live.spec, path);
    if (isSame(path, value, there)) continue;
    const name = path.join(".");
    const by = owners(live, ["spec", ...path]);
    if (path[0] === "persistence" && there !== undefined) {
      const cure = `set it to ${shown(path, there)}, or delete the SpireServer with its volume and have it made again`;
      problems.push(at(name, `is ${shown(path, there)} in the cluster and can never be changed; ${cure}`));
    } else if (there === undefined || by.includes(FIELD_MANAGER) || takeOver.some((field) => within(path, field))) {
      continue;
    } else {
      const who = by.length === 0 ? "as its default" : `set by ${by.join(" and ")}`;
      const cure = `npx pulumi config set --path 'spireServer.takeOver[${next}]' ${name}`;
      problems.push(
        at(name, `is ${shown(path, there)} in the cluster, ${who}; set it to that, or take the field over: ${cure}`),
      );
      next++;
    }
  }
  return [...problems, ...otherUpstream(spec, live)];
}

/** An upstream authority of the other kind stays as long as its owner has it, and the API server takes one only. */
function otherUpstream({ upstreamAuthority = {} }: ManagedSpireServer["spec"], live: LiveSpireServer): Problem[] {
  const [kind] = Object.keys(upstreamAuthority);
  const [other] = Object.keys(objectAt(live.spec, ["upstreamAuthority"])).filter((key) => key !== kind);
  if (kind === undefined || other === undefined) return [];
  const by = owners(live, ["spec", "upstreamAuthority", other]).filter((owner) => owner !== FIELD_MANAGER);
  if (by.length === 0) return [];
  const cure = `take ${other} out of the SpireServer, or out of whatever sets it`;
  return [at("upstreamAuthority", `is ${other} in the cluster, set by ${by.join(" and ")}; ${cure}`)];
}

/** What the stack alone has set and the config no longer sets: it would be unset, or fall back to the CRD's default. */
function dropped(managed: ManagedSpireServer, live: LiveSpireServer, access: ClusterAccess): Problem[] {
  return REQUIRED.flatMap((key) => {
    const parts = leaves({ [key]: live.spec?.[key] }).filter(({ path }) => owners(live, ["spec", ...path]).length > 0);
    const ours = parts.filter(({ path }) => isOursAlone(live, path));
    const isGone = !isSet(managed, [key]) && ours.length > 0 && ours.length === parts.length;
    const lost = ours.filter(({ path, value }) => {
      const byDefault = defaultAt(path);
      return !isSet(managed, path) && (isGone || (byDefault !== undefined && !isSame(path, byDefault, value)));
    });
    return lost.map(({ path, value }) => {
      const has = path[0] === "datastore" ? `what ${query(path, access)} prints` : shown(path, value);
      const why = isGone ? "a SpireServer needs it" : "the default is another";
      return at(path.join("."), `is no longer set, and ${why}; set it to ${has}`);
    });
  });
}

/** With `manage` no longer true, the fields that the stack alone has set would be unset. */
function wouldBeLost(live: LiveSpireServer, access: ClusterAccess): Problem[] {
  const lost = REQUIRED.filter((key) =>
    leaves({ [key]: live.spec?.[key] }).some(({ path }) => isOursAlone(live, path)),
  );
  if (lost.length === 0) return [];
  const spec = "{apiVersion, kind, metadata: {name: .metadata.name}, spec: (.spec | del(.federation))}";
  const read = `${oc(access, "get spireserver cluster -o json")} | jq '${spec}'`;
  const handOver = `${read} | ${oc(access, "apply --server-side --field-manager=kubectl -f -")}`;
  const why = `is not true, and of the SpireServer this stack alone has set ${lost.join(", ")}, which would be unset`;
  return [at("manage", `${why}; set it to true, or have them set by somebody else first: ${handOver}`)];
}

/** Whether the config sets something at that path or below it. */
const isSet = ({ spec, notShown }: ManagedSpireServer, path: Path): boolean =>
  isContent(valueAt(spec, path)) ||
  notShown.some((hidden) => within(path, hidden) || within(hidden.split("."), path.join(".")));

function isOursAlone(live: LiveSpireServer, path: Path): boolean {
  const by = owners(live, ["spec", ...path]);
  return by.length === 1 && by[0] === FIELD_MANAGER;
}

/** Whether a value says the same as another: a duration in any form, a quantity as text or as a number. */
function isSame(path: Path, one: unknown, other: unknown): boolean {
  if (isDeepStrictEqual(one, other)) return true;
  if (fieldAt(path)?.type === "duration") return seconds(one) !== undefined && seconds(one) === seconds(other);
  return path[0] === "resources" && typeof other === "number" && String(other) === one;
}

const seconds = (value: unknown): number | undefined => (typeof value === "string" ? parseDuration(value) : undefined);

function defaultAt(path: Path): unknown {
  const field = fieldAt(path);
  if (field === undefined || !("default" in field)) return undefined;
  return field.type === "flag" && field.asText ? String(field.default) : field.default;
}

/** Fields whose live value may be shown; what a database or an upstream CA is reached by is not. */
function shown(path: Path, value: unknown): string {
  return ["datastore", "upstreamAuthority"].includes(path[0] ?? "") ? "something else" : JSON.stringify(value);
}

const query = (path: Path, access: ClusterAccess): string =>
  oc(access, `get spireserver cluster -o jsonpath='{.spec.${path.join(".")}}'`);

/** Whether a path is that of a field, or below it. */
const within = (path: Path, field: string): boolean => `${path.join(".")}.`.startsWith(`${field}.`);

const isContent = (value: unknown): boolean =>
  value !== undefined && !(isObject(value) && Object.keys(value).length === 0);

const valueAt = (object: unknown, path: Path): unknown =>
  path.reduce((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), object);

function objectAt(object: unknown, path: Path): Record<string, unknown> {
  const value = valueAt(object, path);
  return isObject(value) ? value : {};
}

const at = (path: string, message: string): Problem => ({ path: `spireServer.${path}`, message });
