/**
 * Which of the rights that Roles grant have been used, as the API server's audit log has it. Pure.
 *
 * Rights are compared one by one: a rule with two verbs and two names is four of them, and each is used or is too much.
 */

/** A Role or a ClusterRole. */
export interface Granting {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
}

export interface Right {
  /** Namespace/name of its Role, or the name of its ClusterRole. */
  role: string;
  /** Where it holds; undefined is everywhere. */
  namespace?: string;
  apiGroup: string;
  /** With its subresource, if any: `pods/exec`. */
  resource: string;
  verb: string;
  /** The one object of which it holds; undefined is every object. */
  name?: string;
}

/** One entry of the audit log, as far as it matters here. */
export interface AuditEvent {
  verb: string;
  requestURI: string;
  user: { username: string };
  /** Undefined where the request is for no object, such as the list of all kinds. */
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  /** When the request came. */
  requestReceivedTimestamp: string;
  annotations?: Record<string, string>;
}

export function rights(roles: readonly Granting[]): Right[] {
  return roles.flatMap(({ metadata: { name: role, namespace }, rules }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      product(apiGroups, resources, resourceNames, verbs).map(([apiGroup, resource, name, verb]) => ({
        role: namespace === undefined ? role : `${namespace}/${role}`,
        apiGroup,
        resource,
        verb,
        ...(namespace !== undefined && { namespace }),
        ...(name !== undefined && { name }),
      })),
    ),
  );
}

/** The rights that none of the requests has needed. */
export function unused(granted: readonly Right[], events: readonly AuditEvent[]): Right[] {
  const needed = events.filter((event) => !isDenied(event)).flatMap(needs);
  return granted.filter((right) => !needed.some((need) => covers(right, need)));
}

export const isDenied = ({ annotations }: AuditEvent): boolean =>
  annotations?.["authorization.k8s.io/decision"] === "forbid";

/** Whether whoever has the one has the other, too; two of them in the same hands are one too many. */
export function covers(right: Omit<Right, "role">, other: Omit<Right, "role">): boolean {
  return (
    right.apiGroup === other.apiGroup &&
    right.resource === other.resource &&
    right.verb === other.verb &&
    (right.namespace === undefined || right.namespace === other.namespace) &&
    (right.name === undefined || right.name === other.name)
  );
}

/** A right in one line. */
export function describe({ role, namespace, apiGroup, resource, verb, name }: Right): string {
  const kind = apiGroup === "" ? resource : resource.replace(/(?=\/|$)/, `.${apiGroup}`);
  return `${role}: ${verb} ${kind}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/** What a request has needed: an apply of an object that was not there has needed the right to create it, too. */
function needs({ verb, objectRef, responseStatus }: AuditEvent): Omit<Right, "role">[] {
  if (objectRef?.resource === undefined) return [];
  const { apiGroup = "", resource, subresource, namespace, name } = objectRef;
  const verbs = verb === "patch" && responseStatus?.code === 201 ? ["patch", "create"] : [verb];
  return verbs.map((each) => ({
    apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    verb: each,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  }));
}

function product<A, B, C, D>(as: A[], bs: B[], cs: C[], ds: D[]): [A, B, C, D][] {
  return as.flatMap((a) => bs.flatMap((b) => cs.flatMap((c) => ds.map((d): [A, B, C, D] => [a, b, c, d]))));
}
