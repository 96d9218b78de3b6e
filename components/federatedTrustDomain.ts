import { createHash } from "node:crypto";
import * as command from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkPeer } from "./shared/arguments";
import { fetchCommand, IGNORED_INPUTS, keepCommand, readFetched } from "./bundle/bundleFetch";
import {
  beginning,
  BEGINNING_ANNOTATION,
  BUNDLE_ANNOTATION,
  bundleMark,
  fetchOf,
  TRUST_KIND,
  type TrustObject,
} from "./bundle/bundleMark";
import { twinsOf } from "./bundle/twins";
import type { ClusterAccess } from "./cluster/access";
import type { ClusterReader } from "./cluster/cluster";
import { OWNED, SPIRE_API } from "./shared/names";
import { clusterFor } from "./cluster/openCluster";
import { federatedTrustDomainSpec, type Peer } from "./bundle/peer";
import { pinned } from "./bundle/pinnedRoots";
import { explain, refuse } from "./shared/problem";
import { type Bootstrap, givenBundle, isGiven } from "./bundle/givenBundle";
import { orStop, stopProgram } from "./shared/stopProgram";
import type { TrustBundle } from "./bundle/trustBundle";

export interface FederatedTrustDomainArgs extends ClusterAccess {
  /** The trust domain to federate with. */
  peer: Peer;
  /**
   * A counter: a changed number fetches the bundle again and gives it to SPIRE. Change it for a peer whose bundle SPIRE can
   * no longer refresh, for example because SPIRE was down while the peer's CA was replaced. Default 0.
   */
  rebootstrap?: number;
  /**
   * Where the first bundle comes from: `endpoint` fetches it from the peer's bundle endpoint over verified TLS, `stack`
   * takes `peer.roots`. With `https_spiffe` it is always made of `peer.caCertificates`. Default `endpoint`.
   */
  bootstrap?: Bootstrap;
}

const MARK = `metadata.annotations["${BUNDLE_ANNOTATION}"]`;

/** A peer publishes its endpoint once it has answered, so it should answer soon. */
const FETCH_SECONDS = 60;

/**
 * Trust in one peer: its bundle, fetched and checked, in a ClusterFederatedTrustDomain.
 *
 * The bundle is fetched once for each URL, profile, trust domain and counter, and kept in the state, which then holds public
 * keys only. SPIRE follows later rotations by itself, so a rotated bundle is no change here. A changed URL fetches the bundle
 * again, because the controller then sends the whole object to SPIRE, where an old bundle would replace a newer one. So does
 * an object that somebody has changed or deleted.
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
    super("spire-federation:index:FederatedTrustDomain", name, {}, opts);
    const { peer } = args;
    refuse(name, checkPeer("peer", peer), this);

    const object = objectName(peer.stack, peer.objectName);
    const spec = federatedTrustDomainSpec(peer);
    const cluster = clusterFor(name, args, this);
    const fetch = pulumi.output(
      orStop(
        refuseTwins(cluster, peer, object).then(() => fetchOf(cluster, object, spec)),
        this,
      ),
    );
    const published = isGiven(peer, args.bootstrap) ? givenBundle(peer, new Date()) : undefined;
    const triggers = [
      ...[peer.bundleEndpointUrl, peer.profile, peer.trustDomain, args.rebootstrap ?? 0, fetch],
      // The bundle that is kept may be older than the pins.
      ...(peer.fingerprints === undefined ? [] : [peer.fingerprints]),
    ];
    const snapshot = new command.local.Command(
      `${name}-bundle`,
      published === undefined ? fetchCommand(peer, FETCH_SECONDS, triggers) : keepCommand(published, triggers),
      { parent: this, ignoreChanges: IGNORED_INPUTS },
    );
    const source = published && (peer.bundle === undefined ? `stack ${peer.stack} published` : "was given");
    const bundle = snapshot.stdout.apply(async (stdout) => {
      const read = readBundle(stdout, peer, source, name);
      return typeof read === "string" ? stopProgram(read, this) : read;
    });

    new k8s.apiextensions.CustomResource(
      `${name}-trust`,
      {
        apiVersion: SPIRE_API,
        kind: TRUST_KIND,
        metadata: {
          name: object,
          annotations: {
            ...OWNED,
            [BUNDLE_ANNOTATION]: pulumi
              .all([fetch, bundle])
              .apply(([of, { jwks }]) => bundleMark(of, { ...spec, trustDomainBundle: jwks })),
            ...endpointCa(peer),
            ...(peer.profile === "https_spiffe" && {
              [BEGINNING_ANNOTATION]: beginning(args.rebootstrap ?? 0, peer.fingerprints),
            }),
          },
        },
        spec: { ...spec, trustDomainBundle: bundle.apply(({ jwks }) => jwks) },
      },
      // The controller ignores a changed bundle in an object that stays. SPIRE keeps the old one while it is replaced.
      // So it is replaced with each new mark, even if the bundle turns out to be the same: a preview cannot know that.
      { parent: this, replaceOnChanges: ["spec.trustDomainBundle", MARK], deleteBeforeReplace: true },
    );

    this.trustDomain = pulumi.output(peer.trustDomain);
    this.fingerprints = bundle.apply(({ fingerprints }) => fingerprints);
    this.roots =
      pulumi.runtime.isDryRun() && published !== undefined
        ? pulumi.output("fault" in published ? [] : published.roots)
        : bundle.apply(({ roots }) => roots);
    this.registerOutputs({ trustDomain: this.trustDomain, fingerprints: this.fingerprints });
  }
}

/** Nobody else's object is overwritten, and none is made that the controller would not look at. */
async function refuseTwins(cluster: ClusterReader, { trustDomain }: Peer, object: string): Promise<void> {
  const trust = await cluster.list<TrustObject>(SPIRE_API, TRUST_KIND);
  const twins = twinsOf(trustDomain, object, trust, cluster.access);
  if (twins.length > 0) throw new Error(twins.join("; "));
}

/**
 * CA certificates (PEM) of the peer's endpoint, written on the object for the day on which the peer's stack publishes
 * nothing any more. With https_spiffe they are in the bundle already.
 */
export const CA_ANNOTATION = "spire-federation/endpoint-ca";

function endpointCa({ profile, caCertificates }: Peer): Record<string, string> {
  return profile === "https_spiffe" || caCertificates === undefined ? {} : { [CA_ANNOTATION]: caCertificates };
}

/**
 * The bundle, or everything that speaks against it.
 *
 * @param stdout undefined for a new peer that an `up --target` of a CLI before 3.276 leaves out: its command does not run.
 *   A newer CLI goes past that peer
 * @param source who the bundle is from, for the message
 * @param name the component's, by which it is a target
 */
export function readBundle(
  stdout: string | undefined,
  peer: Peer,
  source = `${peer.bundleEndpointUrl} served`,
  name = peer.stack,
): TrustBundle | string {
  if (stdout === undefined) {
    const cure = `add --target '**${name}**', or run pulumi up without --target`;
    return `peer ${peer.stack}: has not joined yet and is not among the targets; ${cure}`;
  }
  const bundle = pinned(readFetched(stdout, peer.trustDomain), peer.fingerprints);
  if (!Array.isArray(bundle)) {
    return bundle;
  }
  return (
    `peer ${peer.stack}: what ${source} must not be trusted: ${explain(bundle)}. ` +
    `Once that is put right, raise "rebootstrap" of ${peer.stack}: it is fetched again`
  );
}

/**
 * `<stack>-federation`, as the procedure has it, unless it has a name of its own. A name that isn't a Kubernetes name by itself, such as a fully
 * qualified stack's, is cut to its last part and told apart by a hash.
 */
export function objectName(stack: string, own?: string): string {
  if (own !== undefined) return own;
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(stack) && stack.length <= 200) {
    return `${stack}-federation`;
  }
  const last = (stack.split("/").at(-1) ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const hash = createHash("sha256").update(stack).digest("hex").slice(0, 8);
  return `${`peer-${last}`.slice(0, 200)}-${hash}-federation`.replaceAll(/-+/g, "-");
}
