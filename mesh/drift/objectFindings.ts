/** What has become of the objects of a stack. Pure. */
import { shown } from "../kernel/redact";
import { word } from "../../components/shared/shell";
import { oc } from "../../components/cluster/access";
import { APPLIED } from "../../components/cluster/correction";
import type { KubeObject } from "../../components/cluster/cluster";
import { addedFields, type Difference, objectDifferences, NOT_CONTENT } from "../kernel/difference";
import type { Finding } from "../kernel/finding";
import type { StackObject } from "../pulumi/stackObjects";
import { type Place, upAgain } from "../kernel/place";

/** A Kubernetes object of the stack and the cluster's own. */
export interface Compared {
  object: StackObject;
  /** Undefined when it isn't there. */
  live: KubeObject | undefined;
}

/** What a Kubernetes object is called; undefined for resources of other providers, and where the name isn't known yet. */
export function identify(
  object: StackObject,
): { apiVersion: string; kind: string; name: string; namespace?: string } | undefined {
  const { apiVersion, kind, metadata } = object.asked as {
    apiVersion?: string;
    kind?: string;
    metadata?: { name?: string; namespace?: string };
  };
  if (!object.type.startsWith("kubernetes:") || apiVersion === undefined || kind === undefined) return undefined;
  if (metadata?.name === undefined) return undefined;
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Kind and name, as people read them. */
export function calledObject(object: StackObject): string {
  const { kind, name } = identify(object) ?? { kind: object.type, name: object.name };
  return `${kind} ${name}`;
}

export function objectFindings(place: Place, compared: readonly Compared[], others: readonly StackObject[]): Finding[] {
  const findings = compared.flatMap(({ object, live }) => findingsOf(place, object, live));
  // Commands follow from objects, such as the fetch of a bundle from an object that is to be made anew.
  return findings.length > 0
    ? findings
    : others.filter(({ op }) => op !== "same").map((object) => changed(place, object, []));
}

function findingsOf(place: Place, object: StackObject, live: KubeObject | undefined): Finding[] {
  const about = { member: place.member, object: calledObject(object) };
  const cure = upAgain(place);
  switch (object.op) {
    case "create":
      return [
        {
          ...about,
          code: "object-missing",
          found: live === undefined ? "it does not exist" : "it exists, but is not in the stack's state",
          cure,
        },
      ];
    case "delete":
      return [
        { ...about, code: "object-left", found: "it is in the stack's state, but no longer in its program", cure },
      ];
    case "change":
    case "same":
      return [...(object.op === "change" ? changes(place, object, live) : []), ...added(place, object, live)];
  }
}

function changes(place: Place, object: StackObject, live: KubeObject | undefined): Finding[] {
  const all = objectDifferences(contentOf(object), live);
  const own = all.filter(({ path }) => !isJudgedElsewhere(path));
  return all.length > 0 && own.length === 0 ? [] : [changed(place, object, own)];
}

function changed(place: Place, object: StackObject, differ: readonly Difference[]): Finding {
  const access = /:(Role|RoleBinding)$/.test(object.type);
  const show = (path: string, value: unknown): string => shown(path, value, object.type.endsWith(":Secret"));
  const rest = object.diffs.filter((path) => !path.includes(APPLIED));
  return {
    code: access ? "access-changed" : "object-changed",
    member: place.member,
    object: calledObject(object),
    found:
      differ.length > 0
        ? differ.map(({ path, found }) => `${path}: ${show(path, found)}`).join("; ")
        : `an up would change it${rest.length > 0 ? `: ${rest.join(", ")}` : ""}`,
    ...(differ.length > 0 && {
      expected: differ.map(({ path, expected }) => `${path}: ${show(path, expected)}`).join("; "),
    }),
    cure: upAgain(place),
  };
}

/**
 * Kinds of which the stack alone has a say; an operator's Subscription is for the cluster's administrators as well. Of a
 * SpireServer this is its federation: what spireServer.manage leaves open is for others to set.
 */
const SOLE_AUTHOR = /:(Role|RoleBinding|Issuer|Certificate|Route|ClusterFederatedTrustDomain|SpireServer(Patch)?)$/;

function added(place: Place, object: StackObject, live: KubeObject | undefined): Finding[] {
  const id = identify(object);
  if (live === undefined || id === undefined || !SOLE_AUTHOR.test(object.type)) return [];
  const asked = contentOf(object);
  const fields = addedFields(asked, live).filter(
    ({ path }) => !isJudgedElsewhere(path) && (!object.type.endsWith("Patch") || path.startsWith("spec.federation.")),
  );
  if (fields.length === 0) return [];
  const remove = fields.map(({ pointer }) => ({ op: "remove", path: pointer }));
  const where = id.namespace === undefined ? "" : `-n ${word(id.namespace)} `;
  return [
    {
      code: "fields-added",
      member: place.member,
      object: `${id.kind} ${id.name}`,
      found: fields.map(({ path, manager, value }) => `${path}: ${shown(path, value)}, set by ${manager}`).join("; "),
      cure: oc(
        place,
        `${where}patch ${word(id.kind.toLowerCase())} ${word(id.name)} --type json -p ${word(JSON.stringify(remove))}`,
      ),
    },
  ];
}

/** The SpireServer's list of peers is a matter of trust: see foreignTrust.ts. */
const isJudgedElsewhere = (path: string): boolean => path.startsWith("spec.federation.federatesWith");

/** All that an object says beside what it is called; the provider's own inputs begin with two lines. */
export function contentOf({ asked }: StackObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(asked).filter(([key]) => !NOT_CONTENT.has(key) && !key.startsWith("__")));
}
