/**
 * Which trust domain a peer has. Anybody who can write the state of its stack can publish another one, so a published trust
 * domain counts only if nothing in this project or in the cluster says otherwise.
 */
import { join } from "node:path";
import type { Peer } from "../components/bundle/peer";
import { isObject } from "../components/shared/untyped";
import type { ConfiguredPeer, ReadFile } from "./configuredPeer";
import { firstOf, stackConfigDirIn, stackFileNames } from "./stackFile";
import { qualified, type StackName } from "./stackName";

/** A trust domain, and where it is declared. */
export interface Declared {
  trustDomain: string;
  /** For example `Pulumi.cluster2.yaml`. */
  where: string;
}

/** The owner of a trust domain, known from more than what a stack publishes. */
export interface Identity extends Declared {
  name: string;
}

/** What is known of a peer before its stack is believed. */
export interface Before {
  peer: ConfiguredPeer;
  declared: Declared | undefined;
  /** As the cluster trusts it now. */
  trusted: Peer | undefined;
}

/**
 * What this project says of a peer that is a stack: its entry of `peers`, or else its own file, where that stack is of the same
 * project and the file is where the project has its stacks' files.
 *
 * @param readFile a relative path starts in the project's folder
 */
export function declaredIn(self: StackName, readFile: ReadFile): (peer: ConfiguredPeer) => Declared | undefined {
  const prefix = qualified({ ...self, stack: "" });
  const dir = stackConfigDirIn(readFile);
  return ({ id, name, publication, trustDomain }) => {
    if (publication !== undefined) return undefined;
    if (trustDomain !== undefined) return { trustDomain, where: `the entry of ${name} in peers` };
    if (!id.startsWith(prefix)) return undefined;
    const files = stackFileNames(id.slice(prefix.length)).map((file) => join(".", dir, file));
    const found = firstOf(files, readFile);
    const inFile = trustDomainIn(found?.content, self.project);
    return found === undefined || inFile === undefined ? undefined : { trustDomain: inFile, where: found.file };
  };
}

/** Undefined when the file says nothing of it. */
function trustDomainIn(file: unknown, project: string): string | undefined {
  const config = isObject(file) ? file["config"] : undefined;
  const value = isObject(config) ? config[`${project}:trustDomain`] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Trust domains that already have an owner, whatever other stacks publish. */
export function identitiesOf(peers: readonly Before[]): Identity[] {
  return peers.flatMap(({ peer, declared, trusted }) => {
    const { name, publication } = peer;
    if (publication !== undefined) return [{ name, trustDomain: publication.trustDomain, where: "peers" }];
    if (declared !== undefined) return [{ name, ...declared }];
    return trusted === undefined ? [] : [{ name, trustDomain: trusted.trustDomain, where: "the cluster" }];
  });
}

/** Reasons not to believe the trust domain that a stack publishes. */
export function identityFaults(
  published: Peer,
  { peer: { name }, declared, trusted }: Before,
  own: string,
  identities: readonly Identity[],
): string[] {
  const { trustDomain } = published;
  if (trustDomain === own) {
    return [
      `stack "${name}" publishes this cluster's own trust domain "${own}"; a cluster cannot federate with itself`,
    ];
  }
  const about = `stack "${name}" publishes trust domain "${trustDomain}"`;
  if (declared !== undefined && declared.trustDomain !== trustDomain) {
    const cure = "find out who changed that stack's outputs, and run pulumi up there";
    return [`${about}, and ${declared.where} says "${declared.trustDomain}"; ${cure}`];
  }
  if (trusted !== undefined && trusted.trustDomain !== trustDomain) {
    const cure = `if that cluster really has another trust domain now, take ${name} out of peers, run pulumi up, and put it in again`;
    return [`${about}, and this cluster trusts it as "${trusted.trustDomain}"; a stack cannot change that. ${cure}`];
  }
  const other = identities.find((one) => one.name !== name && one.trustDomain === trustDomain);
  if (other !== undefined && declared === undefined && trusted === undefined) {
    return [`${about}, which is peer "${other.name}"'s by ${other.where}; each peer needs its own`];
  }
  return [];
}

/**
 * A CA that a stack no longer publishes is no reason to stop trusting the endpoint by it: the peer's cert-manager may just have
 * lost the request that names it.
 */
export function lostCa(published: Peer, publicCa: boolean, { peer: { name }, trusted }: Before): string[] {
  const had = trusted?.profile === "https_web" && trusted.caCertificates !== undefined;
  if (!had || publicCa || published.profile !== "https_web" || published.caCertificates !== undefined) return [];
  const cure =
    "there, have the certificate issued again (cmctl renew -n zero-trust-workload-identity-manager <certificate>) and run " +
    "pulumi up; if its certificate is public now, set probe to machine there";
  return [`stack "${name}" publishes no CA for its endpoint any more, which this cluster trusts by one; ${cure}`];
}
