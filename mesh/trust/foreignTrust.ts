/** What makes a cluster trust somebody, beside what its stack declares. Pure. */
import { word } from "../../components/shared/shell";
import { oc } from "../../components/cluster/access";
import { markedFetch, type TrustObject } from "../../components/bundle/bundleMark";
import type { KubeObject } from "../../components/cluster/cluster";
import { differences, entryText, factsForServer, factsOfServerConf } from "../../components/spireServer/federationSpec";
import type { FederationSpec } from "../../components/route/federation";
import { FEDERATION_CLASS, SPIRE_SERVER } from "../../components/shared/names";
import { federatesWith, type FederatesWith } from "../../components/bundle/peer";
import type { Declared } from "./expected";
import type { Finding } from "../kernel/finding";
import { forgetCommand } from "../spire/serverCommands";
import { type Place, upAgain } from "../kernel/place";

/**
 * ClusterFederatedTrustDomains that are no stack's. The controller takes those of its own class, and of several for the
 * same trust domain the oldest alone.
 */
export function foreignTrust(place: Place, objects: readonly TrustObject[], declared: Declared): Finding[] {
  const isOwn = (object: TrustObject): boolean => isStacks(object, declared);
  return objects
    .filter((object) => !isOwn(object))
    .map((object): Finding => {
      const { trustDomain = "", className, bundleEndpointURL = "no URL" } = object.spec ?? {};
      const name = object.metadata?.name ?? "";
      const about = { member: place.member, object: `ClusterFederatedTrustDomain ${name}` };
      const remove = oc(place, `delete clusterfederatedtrustdomain ${word(name)}`);
      const says = `${trustDomain} at ${bundleEndpointURL}`;
      if (className !== FEDERATION_CLASS) {
        const found = `${says}, which the controller ignores: its class is ${className ?? "none"}`;
        return { ...about, code: "trust-domain-ignored", found, cure: remove };
      }
      const twin = objects.find(
        (other) => isOwn(other) && other.spec?.className === FEDERATION_CLASS && other.spec.trustDomain === trustDomain,
      );
      if (twin === undefined) {
        const cure = `${remove} && ${forgetCommand(place, trustDomain)}`;
        return { ...about, code: "trust-domain-undeclared", found: `the cluster trusts ${says}`, cure };
      }
      const own = twin.metadata?.name ?? "";
      const effect = isOlder(object, twin)
        ? `the controller goes by it, and ignores the stack's ${own}, which is younger`
        : `the controller ignores it while the stack's ${own}, which is older, is there`;
      return { ...about, code: "trust-domain-twin", found: `${says}: ${effect}`, cure: remove };
    });
}

/**
 * Whether the stack has made the object, or would. The name alone does not say so: somebody else may have taken the name of a
 * peer that has published nothing yet. What an interrupted up has left has the program's mark.
 */
export function isStacks(object: TrustObject, { objects }: Pick<Declared, "objects">): boolean {
  const named = objects.get(object.metadata?.name ?? "");
  if (named === undefined) return false;
  if (named.peer === "joined") return true;
  if (named.trustDomain !== undefined && named.trustDomain === object.spec?.trustDomain) return true;
  return named.peer === "new" && markedFetch(object) !== undefined;
}

/** As the controller sorts them. */
export function isOlder({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  const [made, otherMade] = [a?.creationTimestamp ?? "", b?.creationTimestamp ?? ""];
  return made === otherMade ? (a?.uid ?? "") < (b?.uid ?? "") : made < otherMade;
}

/** Trust domains that somebody other than the stacks has made the cluster trust, by a ClusterFederatedTrustDomain or in the SpireServer. */
export function foreignTrustDomains(
  objects: readonly TrustObject[],
  federation: FederationSpec | undefined,
  declared: Declared,
): Set<string> {
  const taken = objects.flatMap(({ spec }) => (spec?.className === FEDERATION_CLASS ? (spec.trustDomain ?? []) : []));
  const listed = federation?.federatesWith?.map(({ trustDomain }) => trustDomain) ?? [];
  return new Set([...taken, ...listed].filter((trustDomain) => !declared.trustDomains.has(trustDomain)));
}

/** The peers that the SpireServer lists, which win over any ClusterFederatedTrustDomain. */
export function listedPeers(
  place: Place,
  federation: FederationSpec | undefined,
  declared: Declared,
  mode: "static" | "dynamic",
): Finding[] {
  const asked = new Map(federatesWith(declared.peers).map((entry) => [entry.trustDomain, entry]));
  const listed = federation?.federatesWith ?? [];
  // A stack that lists nobody leaves the list to others.
  const owned = mode === "static" && asked.size > 0;
  const about = { member: place.member, object: "SpireServer cluster" };
  const edit = `remove it from spec.federation.federatesWith: ${oc(place, "edit spireserver cluster")}`;
  const cure = owned ? upAgain(place) : edit;
  return [
    ...listed.flatMap((entry): Finding[] => {
      const peer = asked.get(entry.trustDomain);
      const found = `federatesWith lists ${line(entry)}`;
      if (peer === undefined && declared.trustDomains.has(entry.trustDomain)) return []; // until an up has taken it out
      if (peer === undefined) {
        const forget = forgetCommand(place, entry.trustDomain);
        // An up refuses it: it ends no trust that somebody else has begun.
        return [{ ...about, code: "federates-with-undeclared", found, cure: `${edit}; then ${forget}` }];
      }
      return line(peer) === line(entry)
        ? []
        : [{ ...about, code: "federates-with-differs", found, expected: line(peer), cure }];
    }),
    ...[...(owned ? asked.values() : [])]
      .filter(({ trustDomain }) => !listed.some((entry) => entry.trustDomain === trustDomain))
      .map((peer): Finding => {
        const found = `federatesWith doesn't list ${peer.trustDomain}`;
        return { ...about, code: "federates-with-missing", found, expected: line(peer), cure };
      }),
  ];
}

const line = (entry: FederatesWith): string => `${entry.trustDomain}: ${entryText(entry)}`;

/** Whether the SPIRE server is configured as the SpireServer has it, whoever has written that. */
export function serverConf(place: Place, federation: FederationSpec | undefined, conf: string | undefined): Finding[] {
  if (federation === undefined) return [];
  const differ = differences(factsForServer(federation), factsOfServerConf(conf ?? "") ?? new Map<string, string>());
  if (differ.length === 0) return [];
  return [
    {
      code: "server-conf-differs",
      member: place.member,
      object: `ConfigMap ${SPIRE_SERVER}`,
      found: `server.conf: ${differ.join("; ")}`,
      cure:
        "ZTWIM's operator rewrites it unless it is stopped or in create-only mode: check its log, and the condition CreateOnlyMode in " +
        oc(place, "get spireserver cluster -o yaml"),
    },
  ];
}
