import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkPeer } from "./bundle/checkPeer";
import { fetchFirst } from "./bundle/bundleFetch";
import {
  beginning,
  BEGINNING_ANNOTATION,
  BUNDLE_ANNOTATION,
  CA_ANNOTATION,
  bundleMark,
  bundleSource,
  TRUST_KIND,
  type TrustObject,
} from "./bundle/bundleMark";
import { objectName } from "./bundle/objectName";
import { twinsOf } from "./bundle/twins";
import type { ClusterAccessArgs } from "./cluster/access";
import type { ClusterReader } from "./cluster/cluster";
import { OWNED, SPIRE_API } from "./shared/names";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import { federatedTrustDomainSpec, type Peer, type PeerArgs } from "./bundle/peer";
import { checked } from "./shared/checked";
import { isKnown } from "./shared/known";
import { explain } from "./shared/problem";
import { gate, readyOnce } from "./shared/gate";
import { onceApplied } from "./shared/savedPlan";
import { type Bootstrap, givenBundle, isGiven } from "./bundle/givenBundle";
import { refuseInUp } from "./shared/refuseInUp";
import { orStop } from "./shared/stopProgram";
import { parseTrustBundle, type TrustBundle } from "./bundle/trustBundle";

export interface FederatedTrustDomainArgs extends ClusterAccessArgs {
  /** The trust domain to federate with. */
  peer: PeerArgs;
  /**
   * A counter: a changed number fetches the bundle again and gives it to SPIRE. Change it for a peer whose bundle SPIRE can
   * no longer refresh, for example because SPIRE was down while the peer's CA was replaced. Default 0.
   */
  rebootstrap?: pulumi.Input<number>;
  /**
   * Where the first bundle comes from: `endpoint` fetches it from the peer's bundle endpoint over verified TLS, `stack`
   * takes `peer.roots`. With `https_spiffe` it is always made of `peer.caCertificates`. Default `endpoint`.
   */
  bootstrap?: pulumi.Input<Bootstrap>;
}

const MARK = `metadata.annotations["${BUNDLE_ANNOTATION}"]`;

/** A peer publishes its endpoint once it has answered, so it should answer soon. */
const FETCH_SECONDS = 60;

/**
 * Trust in one peer: its bundle, fetched and checked, in a ClusterFederatedTrustDomain.
 *
 * The bundle is fetched once for each URL, profile, trust domain, set of pins and counter; then the one in the object stays.
 * SPIRE follows later rotations by itself, so a rotated bundle is no change here. A changed URL fetches the bundle again,
 * because the controller then sends the whole object to SPIRE, where an old bundle would replace a newer one. So does an
 * object that somebody has changed or deleted. A preview does not ask the endpoint: a bundle that is to be fetched is unknown.
 *
 * Give it the certificate and the router's access in `dependsOn`, so that a destroy ends the trust first.
 *
 * Source: steps 16 to 18 of "Using SPIRE federation with manual certificate management" of the OpenShift
 * documentation; the checks of the bundle follow SPIFFE Trust Domain and Bundle, section 4.
 *
 * @throws ResourceError for everything that is wrong with `peer`, all at once, when somebody else has an object for its trust
 * domain or of its name, and when its bundle must not be trusted
 * @example
 * const peer = new FederatedTrustDomain("peer-cluster2", { context: "cluster1", peer: cluster2 }, { provider, dependsOn: [access, certificate] });
 */
export class FederatedTrustDomain extends pulumi.ComponentResource {
  /** The peer's trust domain. */
  readonly trustDomain: pulumi.Output<string>;
  /** SHA-256 fingerprints, in hexadecimal, of the X.509 roots in the bundle that the trust began with. */
  readonly fingerprints: pulumi.Output<string[]>;
  /** The X.509 roots (PEM) themselves. Known in a preview when they come from the peer's stack. */
  readonly roots: pulumi.Output<string[]>;

  constructor(name: string, args: FederatedTrustDomainArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederatedTrustDomain", name, {}, withProvider(`${name}-cluster`, args, opts));
    const known = checked(name, args, ({ peer }) => checkPeer("peer", peer), this);
    const { peer } = known;

    const object = objectName(args.peer.stack, args.peer.objectName);
    const spec = peer.apply(federatedTrustDomainSpec);
    const began = known.apply((it) => beginning(it.rebootstrap ?? 0, it.peer.fingerprints));
    const cluster = clusterFor(name, args, this);
    const given = known.apply((it) => (isGiven(it.peer, it.bootstrap) ? givenBundle(it.peer, new Date()) : undefined));
    const source = pulumi.all([peer, spec, began]).apply(([of, asked, begins]) =>
      orStop(
        refuseTwins(cluster, of, object).then(() => bundleSource(cluster, object, asked, begins)),
        this,
      ),
    );
    const fetch = source.apply((it) => it.fetch);
    const bundle = pulumi.all([source, peer, given]).apply(async ([{ held }, of, handedOver]) => {
      const kept = held === undefined ? [] : parseTrustBundle(held, of.trustDomain);
      if (!Array.isArray(kept)) return kept;
      // A preview asks no endpoint: what it serves by the time of the up is not known.
      if (pulumi.runtime.isDryRun()) return pulumi.unknown as TrustBundle;
      return orStop(firstBundle(of, handedOver), this);
    });

    const trust = new k8s.apiextensions.CustomResource(
      `${name}-trust`,
      {
        apiVersion: SPIRE_API,
        kind: TRUST_KIND,
        metadata: {
          name: object,
          annotations: {
            ...OWNED,
            [BUNDLE_ANNOTATION]: pulumi
              .all([fetch, bundle, spec, began])
              .apply(([of, { jwks }, asked, begins]) => bundleMark(of, { ...asked, trustDomainBundle: jwks }, begins)),
            [BEGINNING_ANNOTATION]: began,
            ...endpointCa(args.peer, peer),
          },
        },
        spec: {
          trustDomain: spec.trustDomain,
          bundleEndpointURL: spec.bundleEndpointURL,
          bundleEndpointProfile: spec.bundleEndpointProfile,
          className: spec.className,
          trustDomainBundle: bundle.apply(({ jwks }) => jwks),
        },
      },
      // The controller ignores a changed bundle in an object that stays. SPIRE keeps the old one while it is replaced.
      // So it is replaced with each new mark, even if the bundle turns out to be the same: a preview cannot know that.
      { parent: this, replaceOnChanges: ["spec.trustDomainBundle", MARK], deleteBeforeReplace: true },
    );

    this.trustDomain = peer.trustDomain;
    this.fingerprints = bundle.apply(({ fingerprints }) => fingerprints);
    this.roots = given.apply((it) => {
      if (it === undefined || !pulumi.runtime.isDryRun()) return bundle.apply(({ roots }) => roots);
      return pulumi.output("fault" in it ? [] : it.roots);
    });
    readyOnce(this, onceApplied(trust));
    this.registerOutputs({ trustDomain: this.trustDomain, fingerprints: this.fingerprints });
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }
}

/** Nobody else's object is overwritten, and none is made that the controller would not look at. */
async function refuseTwins(cluster: ClusterReader, { trustDomain }: Peer, object: string): Promise<void> {
  const trust = await cluster.list<TrustObject>(SPIRE_API, TRUST_KIND);
  const twins = twinsOf(trustDomain, object, trust, cluster.access);
  if (twins.length > 0) await refuseInUp(new Error(twins.join("; ")));
}

function endpointCa({ profile, caCertificates }: PeerArgs, peer: pulumi.Output<Peer>): pulumi.Inputs {
  return (isKnown(profile) && profile === "https_spiffe") || caCertificates === undefined
    ? {}
    : { [CA_ANNOTATION]: peer.apply((it) => (it.profile === "https_spiffe" ? undefined : it.caCertificates)) };
}

/**
 * The bundle that trust begins with.
 *
 * @param given what the peer's owner or its stack has given; undefined: its endpoint is asked
 * @throws Error with everything that speaks against it
 */
export async function firstBundle(
  peer: Peer,
  given: TrustBundle | { fault: string } | undefined,
  seconds = FETCH_SECONDS,
): Promise<TrustBundle> {
  if (given !== undefined) {
    if ("fault" in given) throw new Error(`peer ${peer.stack}: ${given.fault}`);
    return given;
  }
  const bundle = await fetchFirst(peer, seconds);
  if (!Array.isArray(bundle)) return bundle;
  throw new Error(`peer ${peer.stack}: what ${peer.bundleEndpointUrl} served must not be trusted: ${explain(bundle)}`);
}
