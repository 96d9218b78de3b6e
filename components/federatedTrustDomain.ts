import { createHash } from "node:crypto";
import * as command from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkPeer } from "./arguments";
import { fetchCommand, IGNORED_INPUTS, keepCommand, readFetched } from "./bundleFetch";
import { BUNDLE_ANNOTATION, bundleMark, fetchOf, TRUST_KIND } from "./bundleMark";
import type { ClusterReader } from "./cluster";
import { OWNED, SPIRE_API } from "./names";
import { federatedTrustDomainSpec, type Peer } from "./peer";
import { asFault, explain, fault, refuse } from "./problem";
import { type Bootstrap, isFromStack, stackBundle } from "./stackBundle";
import type { TrustBundle } from "./trustBundle";

export interface FederatedTrustDomainArgs {
  /** Reads the cluster, to see whether somebody has changed the ClusterFederatedTrustDomain. */
  reader: ClusterReader;
  /** The remote member, as its stack published it. Plain: what is wrong with it is said before anything changes. */
  peer: Peer;
  /**
   * Counter; a changed number fetches the bundle anew and hands it to SPIRE. For a peer whose bundle SPIRE can no
   * longer refresh, for example because it was away while its CA was replaced. Default 0.
   */
  rebootstrap?: number;
  /** Where the first bundle comes from; with https_spiffe always from the peer's stack. Default `endpoint`. */
  bootstrap?: Bootstrap;
}

const MARK = `metadata.annotations["${BUNDLE_ANNOTATION}"]`;

/** A peer publishes its endpoint once it has answered, so it should answer soon. */
const FETCH_SECONDS = 60;

/**
 * Trust in one remote member: its bundle fetched and checked, and its ClusterFederatedTrustDomain (steps 16 to 18).
 *
 * The bundle is fetched once for each URL, profile, trust domain and counter, over TLS that is verified or from the
 * outputs of the peer's stack, and kept in the state, which holds public keys alone. Later rotations are SPIRE's business: a changed bundle is no change here.
 * A changed URL fetches anew, because the controller then sends the whole object to SPIRE and an old bundle would
 * replace a newer one; so does an object that somebody has changed or deleted and that is put right.
 *
 * Give it the router's access and the certificate in `dependsOn`: then a destroy takes the peers away first.
 *
 * @throws ResourceError for what is wrong with `peer`, and when its bundle must not be trusted; all problems at once
 * @example
 * const peer = new FederatedTrustDomain("peer-cluster2", { reader, peer: cluster2 }, { provider, dependsOn: [access, certificate] });
 */
export class FederatedTrustDomain extends pulumi.ComponentResource {
  /** The peer's trust domain. */
  readonly trustDomain: pulumi.Output<string>;
  /** SHA-256 of each X.509 root of the bundle that trust was bootstrapped with, in hexadecimal. */
  readonly fingerprints: pulumi.Output<string[]>;
  /** The roots themselves (PEM). Those that the peer's stack publishes are known in a preview, too. */
  readonly roots: pulumi.Output<string[]>;
  /** The peer, once its bundle is held; the SpireServer lists no other. */
  readonly held: pulumi.Output<Peer>;

  constructor(name: string, args: FederatedTrustDomainArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederatedTrustDomain", name, {}, opts);
    const { peer } = args;
    refuse(name, checkPeer("peer", peer), this);

    const object = objectName(peer.stack);
    const spec = federatedTrustDomainSpec(peer);
    const fetch = pulumi.output(fetchOf(args.reader, object, spec).catch(asFault(this)));
    const published = isFromStack(peer, args.bootstrap) ? stackBundle(peer, new Date()) : undefined;
    const triggers = [peer.bundleEndpointUrl, peer.profile, peer.trustDomain, args.rebootstrap ?? 0, fetch];
    const snapshot = new command.local.Command(
      `${name}-bundle`,
      published === undefined ? fetchCommand(peer, FETCH_SECONDS, triggers) : keepCommand(published, triggers),
      { parent: this, ignoreChanges: IGNORED_INPUTS },
    );
    const source = published && `stack ${peer.stack} published`;
    const bundle = snapshot.stdout.apply((stdout) => accept(stdout, peer, this, source));

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
              .all([fetch, bundle])
              .apply(([of, { jwks }]) => bundleMark(of, { ...spec, trustDomainBundle: jwks })),
            ...endpointCa(peer),
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
    // By URNs, which are known in a preview, too: it shows the peer as it will be.
    this.held = pulumi.all([snapshot.urn, trust.urn]).apply(() => peer);
    this.registerOutputs({ trustDomain: this.trustDomain, fingerprints: this.fingerprints, held: this.held });
  }
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
 * The bundle, or an error with everything that speaks against it.
 *
 * @param stdout undefined for a new peer that an `up --target` leaves out: its command does not run
 * @param source who the bundle is from, for the error
 */
export function accept(
  stdout: string | undefined,
  peer: Peer,
  resource?: pulumi.Resource,
  source = `${peer.bundleEndpointUrl} served`,
): TrustBundle {
  if (stdout === undefined) {
    const cure = `add --target '**${peer.stack}**', or run pulumi up without --target`;
    throw fault(`peer ${peer.stack}: has not joined yet and is not among the targets; ${cure}`, resource);
  }
  const bundle = readFetched(stdout, peer.trustDomain);
  if (!Array.isArray(bundle)) {
    return bundle;
  }
  throw fault(
    `peer ${peer.stack}: what ${source} must not be trusted: ${explain(bundle)}. ` +
      `Once that is put right, raise "rebootstrap" of ${peer.stack}: it is fetched again`,
    resource,
  );
}

/**
 * `<stack>-federation`, as the procedure has it. A name that isn't a Kubernetes name by itself, such as a fully
 * qualified stack's, is cut to its last part and told apart by a hash.
 */
export function objectName(stack: string): string {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(stack) && stack.length <= 200) {
    return `${stack}-federation`;
  }
  const last = (stack.split("/").at(-1) ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const hash = createHash("sha256").update(stack).digest("hex").slice(0, 8);
  return `${`peer-${last}`.slice(0, 200)}-${hash}-federation`.replaceAll(/-+/g, "-");
}
