/**
 * Whom a stack federates with, as `peers` of its config says: stacks of ours, and trust domains that no stack of ours runs,
 * which the config describes instead.
 */
import { checkName, checkTrustDomain } from "../components/shared/arguments";
import { objectName as nameOfObject, resourceNameOf } from "../components/bundle/objectName";
import { describePeer, fingerprintsIn } from "./describedPeer";
import type { Problem } from "../components/shared/problem";
import type { ConfiguredPeer, Note, PeerStack, ReadFile } from "./configuredPeer";
import { definedOnly, type Fields } from "./fields";
import { meanings, qualified, shortName, type StackName } from "./stackName";

export type { ConfiguredPeer, PeerStack, ReadFile };
export { resourceNameOf };

/** The peers that `peers` names or describes. */
export function configuredPeers(
  fields: Fields,
  self: StackName,
  problems: Problem[],
  readFile: ReadFile,
): ConfiguredPeer[] {
  const note: Note = (path, message) => problems.push({ path, message });
  const items = fields.items("peers");
  const peers: ConfiguredPeer[] = [];
  for (const item of items) {
    if (item.text === "") continue;
    const peer =
      item.object === undefined
        ? stackNamed(item.text, item.path, self, note)
        : entryOf(item.object, item.path, self, problems, readFile);
    if (peer === undefined) continue;
    const clash = clashOf(peer, peers, self);
    if (clash !== undefined) note(item.path, clash);
    peers.push(peer);
  }
  return peers;
}

/** An entry that is an object: one that has `stack`, or the description of a trust domain. */
function entryOf(
  entry: Fields,
  path: string,
  self: StackName,
  problems: Problem[],
  readFile: ReadFile,
): ConfiguredPeer | undefined {
  const oneWay = entry.choice("trust", ["mutual", "oneway"]) === "oneway";
  const stack = entry.text("stack");
  const objectName = entry.text("objectName");
  const rebootstrap = entry.integer("rebootstrap");
  if (objectName !== undefined) problems.push(...checkName(`${path}.objectName`, objectName));
  const note: Note = (at, message) => problems.push({ path: at, message });
  const peer =
    stack === undefined
      ? describePeer(entry, path, self, problems, readFile)
      : stackEntry(stackNamed(stack, `${path}.stack`, self, note), entry, path, problems);
  entry.refuseOthers();
  return peer && { ...peer, ...definedOnly({ rebootstrap, objectName }), ...(oneWay && { oneWay }) };
}

/** What an entry says of a stack beside its name. */
function stackEntry(
  peer: PeerStack | undefined,
  entry: Fields,
  path: string,
  problems: Problem[],
): PeerStack | undefined {
  const trustDomain = entry.text("trustDomain");
  const pins = definedOnly({
    fingerprints: fingerprintsIn(entry, "fingerprints"),
    caFingerprints: fingerprintsIn(entry, "caFingerprints"),
  });
  const bootstrap = entry.choice("bootstrap", ["endpoint", "stack"]);
  if (trustDomain !== undefined) problems.push(...checkTrustDomain(`${path}.trustDomain`, trustDomain));
  return peer && { ...peer, ...definedOnly({ trustDomain, bootstrap }), ...pins };
}

function stackNamed(text: string, path: string, self: StackName, note: Note): PeerStack | undefined {
  const read = meanings(text, self);
  const [stack] = read;
  if (stack === undefined) {
    const right = "it is <stack>, <project>/<stack> or <organization>/<project>/<stack>";
    note(path, `"${text}" is not the name of a stack; ${right}`);
    return undefined;
  }
  if (read.length > 1) {
    note(path, `"${text}" has two meanings; write ${read.map(qualified).join(" or ")}`);
    return undefined;
  }
  return { name: shortName(stack, self), id: qualified(stack), rebootstrap: 0 };
}

/** The name of a peer's ClusterFederatedTrustDomain. */
export const objectNameOf = ({ name, objectName }: Pick<ConfiguredPeer, "name" | "objectName">): string =>
  nameOfObject(name, objectName);

/** Why a peer conflicts with an earlier one. */
function clashOf(peer: ConfiguredPeer, before: readonly ConfiguredPeer[], self: StackName): string | undefined {
  if (peer.id === qualified(self)) {
    return `"${peer.name}" is this very stack; a cluster cannot federate with itself, take it out`;
  }
  const object = objectNameOf(peer);
  const twin = before.find(
    (one) => one.name !== peer.name && resourceNameOf(objectNameOf(one)) === resourceNameOf(object),
  );
  if (twin !== undefined)
    return objectNameOf(twin) === object
      ? `"${peer.name}" and "${twin.name}" would both have object ${object}; rename one of them`
      : `objects ${objectNameOf(twin)} of "${twin.name}" and ${object} of "${peer.name}" are too much alike; give one of them another objectName`;
  const other = before.find(({ name }) => name === peer.name);
  if (other === undefined) return undefined;
  return other.id === peer.id
    ? `"${peer.name}" is there twice; take one out`
    : `${peer.id} and ${other.id} would both be called "${peer.name}"; rename one of them`;
}
