/**
 * Decides what a stack that owns the whole SpireServer may change in the live one. Pure.
 *
 * A field that somebody else has set to another value is refused until `spireServer.takeOver` names it. No field falls back to
 * a default that would lose data or that the API server would refuse.
 */
import { type ClusterAccess, oc } from "../components/cluster/access";
import type { KubeObject } from "../components/cluster/cluster";
import { owners } from "../components/cluster/fieldOwners";
import { FIELD_MANAGER } from "../components/shared/names";
import { NOT_SHOWN } from "../components/shared/notShown";
import { problem, type Problem } from "../components/shared/problem";
import { isSameValue, leaves, renderSpireServerSpec } from "../components/spireServer/spireServerSpec";
import { isObject } from "../components/shared/untyped";
import { describeRelease, type ReleaseState, specSchema, ztwimRelease } from "../components/spireServer/ztwimRelease";
import { checkBySchema, isField } from "./crdSchema";
import { FEDERATION, isHidden, type ManagedSpireServer } from "./spireServerConfig";

export type LiveSpireServer = KubeObject & { spec?: Record<string, unknown> };

type Path = readonly string[];

/** Fields that the API server requires. */
const REQUIRED = ["jwtIssuer", "caSubject", "persistence", "datastore"] as const;
/** What the CRD fills in, where SPIRE would begin with another database. */
const DATABASE: Readonly<Record<string, string>> = {
  databaseType: "sqlite3",
  connectionString: "/run/spire/data/datastore.sqlite3",
};

/** All problems that the live SpireServer and its CRD show. */
export function judgeSpireServer(
  managed: ManagedSpireServer | undefined,
  live: LiveSpireServer | undefined,
  operator: ReleaseState,
  access: ClusterAccess,
): Problem[] {
  if (managed === undefined) return live === undefined ? [] : wouldBeLost(live, access);
  if (managed.hidden) return [];
  const unfit = judgeFields(managed, live, operator);
  if (unfit.length > 0) return unfit;
  return live === undefined ? judgeDatabase(managed) : [...differing(managed, live), ...dropped(managed, live, access)];
}

/** Only the API server can judge by a CRD that cannot be read: it names a field that it does not know. */
function judgeFields(
  { spec, takeOver }: ManagedSpireServer,
  live: LiveSpireServer | undefined,
  operator: ReleaseState,
): Problem[] {
  const schema = specSchema(operator.crd);
  if (schema === undefined) return [];
  if (spec["upstreamAuthority"] !== undefined && schema.properties?.["upstreamAuthority"] === undefined) {
    const release = describeRelease(ztwimRelease(operator));
    const cure = "update ZTWIM to 1.1, or take upstreamAuthority out";
    return [at("upstreamAuthority", `is not known to the cluster's ZTWIM, which is ${release}; ${cure}`)];
  }
  const unknown = takeOver.flatMap((field, index) =>
    field === FEDERATION || isField(schema, field.split("."))
      ? []
      : problem(`takeOver[${index}]`, "names no field of a SpireServer"),
  );
  return [...checkBySchema(schema, spec, live?.spec), ...unknown].map(({ path, message }) => at(path, message));
}

/** For a new SpireServer: the database and how to reach it are chosen together, never one of them by a default. */
function judgeDatabase({ spec }: ManagedSpireServer): Problem[] {
  const { databaseType, connectionString } = objectAt(spec, ["datastore"]);
  if (databaseType === undefined && connectionString !== undefined) {
    return [at("datastore.databaseType", "is not set, but connectionString is; set it, for example to postgres")];
  }
  if (connectionString !== undefined || databaseType === undefined || databaseType === DATABASE["databaseType"])
    return [];
  return [at("datastore.connectionString", `is not set, and its default is SQLite's; set it for your database`)];
}

/** Fields that differ between config and cluster and may not be changed. */
function differing({ spec, takeOver }: ManagedSpireServer, live: LiveSpireServer): Problem[] {
  const problems: Problem[] = [];
  let next = takeOver.length;
  for (const { path, value } of leaves(renderSpireServerSpec(spec))) {
    const there = valueAt(live.spec, path);
    if (isHidden(value) || isSameValue(path, value, there)) continue;
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

/** The API server accepts one upstream authority, and one of the other kind stays until its owner removes it. */
function otherUpstream(spec: ManagedSpireServer["spec"], live: LiveSpireServer): Problem[] {
  const [kind] = Object.keys(objectAt(spec, ["upstreamAuthority"]));
  const [other] = Object.keys(objectAt(live.spec, ["upstreamAuthority"])).filter((key) => key !== kind);
  if (kind === undefined || other === undefined) return [];
  const by = owners(live, ["spec", "upstreamAuthority", other]).filter((owner) => owner !== FIELD_MANAGER);
  if (by.length === 0) return [];
  const cure = `take ${other} out of the SpireServer, or out of whatever sets it`;
  return [at("upstreamAuthority", `is ${other} in the cluster, set by ${by.join(" and ")}; ${cure}`)];
}

/** A database that the stack alone has set and the config no longer sets: SPIRE would begin with an empty one. */
function dropped({ spec }: ManagedSpireServer, live: LiveSpireServer, access: ClusterAccess): Problem[] {
  return Object.entries(DATABASE).flatMap(([key, usual]) => {
    const path = ["datastore", key];
    const there = valueAt(live.spec, path);
    if (there === undefined || there === usual || valueAt(spec, path) !== undefined || !isOursAlone(live, path))
      return [];
    const cure = `set it to what ${query(path, access)} prints`;
    return [at(path.join("."), `is no longer set, and its default is another; ${cure}`)];
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

function isOursAlone(live: LiveSpireServer, path: Path): boolean {
  const by = owners(live, ["spec", ...path]);
  return by.length === 1 && by[0] === FIELD_MANAGER;
}

/** Shows a live value, unless it may hold credentials of a database or an upstream CA. */
function shown(path: Path, value: unknown): string {
  return ["datastore", "upstreamAuthority"].includes(path[0] ?? "") ? "something else" : JSON.stringify(value);
}

const query = (path: Path, access: ClusterAccess): string =>
  oc(access, `get spireserver cluster -o jsonpath='{.spec.${path.join(".")}}'`);

/** Whether a path is that of a field, or below it. */
const within = (path: Path, field: string): boolean => `${path.join(".")}.`.startsWith(`${field}.`);

/** NOT_SHOWN is all that is below it. */
const valueAt = (object: unknown, path: Path): unknown =>
  path.reduce(
    (value, key) =>
      value === NOT_SHOWN ? value : isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined,
    object,
  );

function objectAt(object: unknown, path: Path): Record<string, unknown> {
  const value = valueAt(object, path);
  return isObject(value) ? value : {};
}

const at = (path: string, message: string): Problem => ({ path: `spireServer.${path}`, message });
