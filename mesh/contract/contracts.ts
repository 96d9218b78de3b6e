/** `spire-federation peer-info`: what somebody who is to trust a member needs to know of it. Asks its stack and its endpoint. */
import { checkPeer } from "../../components/bundle/checkPeer";
import type { Peer } from "../../components/bundle/peer";
import { explain } from "../../components/shared/problem";
import { givenBundle } from "../../components/bundle/givenBundle";
import { keysOf } from "../../components/bundle/pinnedRoots";
import { parseTrustBundle, type TrustBundle } from "../../components/bundle/trustBundle";
import type { Contract } from "../../stacks/contract";
import { definedOnly } from "../../stacks/fields";
import { shortName } from "../../stacks/stackName";
import { look, type Looked } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { MeshMember } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { expectedAt, notBelieved } from "../verify/endpointTls";
import type { Presented } from "../verify/presented";

/** Nothing in it is secret. */
export interface MemberContract extends Omit<Contract, "version" | "roots" | "context"> {
  member: string;
  /** What the other side may call it. */
  name: string;
  /** SHA-256 of the X.509 roots and of the JWT keys; none where they are not known. */
  fingerprints: string[];
  /** The bundle (JWKS) with which trust may begin; undefined where it is not known. */
  bundle?: string;
  /** Why the roots are not known. */
  rootsUnknown?: string;
}

/** A member that has nothing to tell yet. */
export interface UnknownContract {
  member: string;
  because: string;
}

export interface ContractWorld {
  published(id: string): Promise<Published | undefined>;
  /** @param ca PEM of the CAs that are to vouch for it; undefined: the public ones */
  endpoint(url: string, ca: string | undefined): Promise<Presented>;
  now(): Date;
}

export function contracts(
  members: readonly MeshMember[],
  world: ContractWorld,
  parallel: number,
): Promise<(MemberContract | UnknownContract)[]> {
  return inParallel(parallel, members, (member) => contractOf(member, world));
}

async function contractOf(
  { id, name: member, config }: MeshMember,
  world: ContractWorld,
): Promise<MemberContract | UnknownContract> {
  const read = await look(() => world.published(id));
  if ("because" in read) return { member, because: `its stack cannot be read: ${read.because}` };
  const contract = read.seen?.federation;
  if (contract === undefined) return { member, because: "its stack has published no bundle endpoint yet" };
  const name = shortName(config.self, config.self);
  // Whoever can write the state could have others paste what he likes.
  const faults = checkPeer("federation", { stack: name, ...contract });
  if (faults.length > 0) return { member, because: `its stack publishes what cannot be used: ${explain(faults)}` };
  const { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, caCertificates } = contract;
  const bundle = await bundleOf({ stack: name, ...contract }, world);
  return {
    member,
    name,
    ...{ trustDomain, bundleEndpointUrl, profile },
    ...definedOnly({ endpointSpiffeId, caCertificates }),
    ...("seen" in bundle
      ? { fingerprints: keysOf(bundle.seen).map((key) => key.fingerprint), bundle: bundle.seen.jwks }
      : { fingerprints: [], rootsUnknown: bundle.because }),
  };
}

/** What the endpoint serves to those who verify it, or else the roots that the stack has published. */
async function bundleOf(peer: Peer, world: ContractWorld): Promise<Looked<TrustBundle>> {
  const now = world.now();
  const presented = await look(() => world.endpoint(peer.bundleEndpointUrl, peer.caCertificates));
  const served = "because" in presented ? presented : servedBundle(presented.seen, peer, now);
  if ("seen" in served) return served;
  if (peer.profile !== "https_spiffe" && peer.roots === undefined) return served;
  const published = givenBundle(peer, now);
  return "fault" in published ? { because: `${served.because}; ${published.fault}` } : { seen: published };
}

function servedBundle(presented: Presented, peer: Peer, now: Date): Looked<TrustBundle> {
  const why = notBelieved(presented, expectedAt(peer));
  if (why !== undefined) return { because: why };
  const bundle = parseTrustBundle(presented.body, peer.trustDomain, now);
  return Array.isArray(bundle) ? { because: explain(bundle) } : { seen: bundle };
}
