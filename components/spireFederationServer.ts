import * as pulumi from "@pulumi/pulumi";
import { accessOf, type ClusterAccessArgs } from "./cluster/access";
import { checkCaCertificates, checkHost, checkTrustDomain } from "./shared/arguments";
import { checkPeerCount, checkPeers } from "./bundle/checkPeer";
import {
  ACME_IS_PUBLIC,
  checkBundleEndpoint,
  renderBundleEndpoint,
  type BundleEndpointArgs,
} from "./spireServer/bundleEndpoint";
import { lookAtWebEndpoint } from "./bundle/bundleFetch";
import type { Cluster } from "./cluster/cluster";
import { lookAtServedBundle, type ProbeFrom } from "./bundle/clusterProbe";
import type { AskedFederation, FederationSpec, OwnRouteArgs } from "./route/federation";
import { makeRoute } from "./route/federationRoute";
import { deviations, federationSpec } from "./spireServer/federationSpec";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import { type PeerArgs, serverSpiffeId } from "./bundle/peer";
import { checked, onceKnown } from "./shared/checked";
import { problem, type Problem } from "./shared/problem";
import { removalCommand } from "./cluster/removalCommand";
import { gate, readyOnce } from "./shared/gate";
import { whenReady, type WaitOptions } from "./waiting/readiness";
import { lookAtSpiffeEndpoint, readOwnRoots, requireOwnRoots } from "./bundle/spiffeEndpoint";
import { lookAtRoute } from "./route/routeReadiness";
import { onceApplied } from "./shared/savedPlan";
import { lookAtSpireServer } from "./spireServer/spireServerReadiness";
import { appliedFederation, makeServer } from "./spireServer/spireServerPatch";
import { checkSpireServerSpec, plainSpec, renderSpireServerSpec } from "./spireServer/spireServerSpec";
import { orStop } from "./shared/stopProgram";

/** Where the SPIRE server gets its peers from. @enum */
export const FederatesWithMode = {
  /** From the SpireServer, too; each change of the list restarts the SPIRE server. */
  Static: "static",
  /** From the ClusterFederatedTrustDomains alone. */
  Dynamic: "dynamic",
} as const;
export type FederatesWithMode = (typeof FederatesWithMode)[keyof typeof FederatesWithMode];

/** How a SPIRE server federates, whoever it is and whoever its peers are. */
export interface ServerOptions extends BundleEndpointArgs, ClusterAccessArgs {
  /**
   * Have the operator create its Route, for `federation.<trust domain>`. Default true. With false the SpireServer never
   * becomes Ready and OLM does not upgrade ZTWIM; false is for a trust domain that is not a DNS name.
   */
  managedRoute?: pulumi.Input<boolean>;
  /** A Route of the component's own for `host`, beside the operator's. Default: the operator's Route serves `host`. */
  ownRoute?: OwnRouteArgs | undefined;
  /**
   * `static` lists the peers in the SpireServer too; each change of the list restarts the SPIRE server. `dynamic` leaves
   * them to the ClusterFederatedTrustDomains, which restart nothing. Default `static`.
   */
  federatesWithMode?: FederatesWithMode;
  /**
   * Further fields of the SpireServer's `spec` to own, as its CRD has them (`oc explain spireserver.spec`), for example
   * `{ logLevel: "debug" }`; the API server checks them. The SpireServer is created if there is none. Default: only
   * `spec.federation` is owned, of a SpireServer that exists.
   */
  manage?: pulumi.Inputs;
  /**
   * Overwrite what somebody else has set in `spec.federation`: peers that `federatesWith` does not name are taken out, and
   * trust in them ends. Default false: that is refused, with each value and who has set it. What the component itself has set
   * and somebody has changed since is corrected all the same.
   */
  takeOver?: pulumi.Input<boolean>;
  /** Keep all of `manage` secret in the state. Default false: only the connection string is secret. */
  manageSecret?: boolean;
  /** CA certificates (PEM) that verify this cluster's bundle endpoint, if they are not public. Default: the system's CAs. */
  endpointCaCertificates?: pulumi.Input<string | undefined>;
  /**
   * From where the bundle endpoint is probed: `machine` requests its URL from the machine that runs Pulumi; `cluster` has the
   * API server request it from the SPIRE server, which does not test the way through the router. Default `machine`.
   */
  probe?: pulumi.Input<ProbeFrom>;
  /** Read the X.509 roots of the trust domain for the output `roots`. Default false. */
  publishRoots?: pulumi.Input<boolean>;
  /** How to wait for the SPIRE server and its Route. `timeoutSeconds` defaults to 600. */
  wait?: WaitOptions;
}

export interface SpireFederationServerArgs extends ServerOptions {
  /** Trust domain of this cluster, equal to `spec.trustDomain` of ZeroTrustWorkloadIdentityManager "cluster". */
  trustDomain: pulumi.Input<string>;
  /** Host name of the bundle endpoint, for example `federation.apps.cluster1.example.com`. */
  host: pulumi.Input<string>;
  /**
   * The peers. Give the FederatedTrustDomain of each in `dependsOn`: SPIRE asks a listed peer at once, and then not again
   * for a minute. Default none.
   */
  federatesWith?: PeerArgs[];
}

/** How long the endpoint may take to answer once server and Route are ready: the router needs a moment. */
const PROBE_SECONDS = 30;
/** With ACME the first request makes SPIRE order the certificate, and is answered once it is there. */
const ACME_PROBE_SECONDS = 180;

/**
 * The federation of the SPIRE server: its bundle endpoint, the peers that it federates with, and a probe of the endpoint.
 *
 * Patches `spec.federation` of SpireServer "cluster" and owns no other field by default. A destroy first takes the peers that
 * it has listed out of `federatesWith`. The rest of the federation stays: the CRD refuses to unset it, and the SPIRE server must
 * keep running.
 *
 * Waits until server.conf has the federation, the StatefulSet is rolled out with it, the SpireServer is Ready, the Route is
 * admitted and the bundle endpoint answers. The SpireServer's condition Ready alone may be that of the previous
 * specification.
 *
 * Give it the router's access in `dependsOn`: the API server refuses the Route without.
 *
 * Source: steps 11 to 15, 19 and 20 of "Using SPIRE federation with manual certificate management" of the OpenShift
 * documentation; the bounds are those of the SpireServer's CRD.
 *
 * @throws ResourceError for every argument that the CRD or SPIRE would refuse, all at once, when somebody else has set what
 * would be overwritten, and when the SPIRE server, its Route or the bundle endpoint is not ready in time
 * @example
 * const server = new SpireFederationServer(
 *   "federation-server",
 *   { context: "cluster1", trustDomain, host, servingCert: {} },
 *   { provider, dependsOn: [certificate, access] },
 * );
 */
export class SpireFederationServer extends pulumi.ComponentResource {
  /** URL of the bundle endpoint. Known once the probe has succeeded. */
  readonly bundleEndpointUrl: pulumi.Output<string>;
  /** SPIFFE ID of the bundle endpoint, with `https_spiffe`. */
  readonly endpointSpiffeId: pulumi.Output<string | undefined>;
  /** CA certificates (PEM) that verify the endpoint: `endpointCaCertificates`, or the X.509 roots with `https_spiffe`. */
  readonly caCertificates: pulumi.Output<string | undefined>;
  /** X.509 roots (PEM) of the trust domain, with `publishRoots`. */
  readonly roots: pulumi.Output<string | undefined>;

  constructor(name: string, args: SpireFederationServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:SpireFederationServer", name, {}, withProvider(`${name}-cluster`, args, opts));
    // They depend on what may be known later than the rest, and are checked by themselves.
    const { endpointCaCertificates, manage, ...rest } = args;
    const known = checked(name, args, checkServer, this, rest);

    const cluster = clusterFor(name, args, this);
    const url = pulumi.interpolate`https://${known.host}`;
    const isSpiffe = args.profile === "https_spiffe";
    const wait = { timeoutSeconds: 600, pollMs: 1000, ...args.wait };
    const isListed = args.federatesWithMode !== "dynamic";
    const federation = known.apply((it) => {
      const peers = isListed ? (it.federatesWith ?? []) : [];
      return federationSpec(renderBundleEndpoint(it, it.host), peers, it.managedRoute);
    });
    const server = makeServer(this, cluster, `${name}-server`, args, federation);
    const { federatesWith = [] } = args;
    if (federatesWith.length > 0) {
      // Without any to take out it sees to it that this is the cluster whose trust is about to end.
      const listed = pulumi.all(isListed ? federatesWith.map((peer) => peer.trustDomain) : []);
      const more = { TRUST_DOMAINS: listed.apply((them) => them.sort().join(" ")) };
      removalCommand(`${name}-removal`, "remove-peers", args, this, server, args.trustDomain, more);
    }

    const managed = manage && renderSpireServerSpec(plainSpec(manage));
    const asked = pulumi.all([known, federation]).apply(([{ host, ownRoute, ...access }, spec]): AskedFederation => ({
      ...{ host, access: accessOf(access), federation: spec },
      ...(ownRoute && { ownRoute }),
      ...(managed && { managed }),
    }));
    const awaited = pulumi
      .all([asked, pulumi.runtime.isDryRun() ? federation : appliedFederation(server), onceApplied(server)])
      .apply(([it, applied]) => ({ ...it, federation: awaitedFederation(it.federation, applied, this) }));
    const rolledOut = whenReady(this, awaited, "SpireServer cluster", (it) => lookAtSpireServer(cluster, it), wait);
    const admitted =
      args.ownRoute === undefined
        ? rolledOut
        : this.ownRoute(`${name}-route`, cluster, asked, pulumi.all([server.id, rolledOut]), wait);
    const ca = onceKnown(name, { endpointCaCertificates }, checkEndpointCa, this).endpointCaCertificates;
    const probing = { ...wait, timeoutSeconds: probeSeconds(args) };
    const ready = known.apply((it) => this.probe(cluster, it, ca, admitted, probing));

    this.bundleEndpointUrl = pulumi.all([url, ready]).apply(([it]) => it);
    this.endpointSpiffeId = known.apply(({ trustDomain }) => (isSpiffe ? serverSpiffeId(trustDomain) : undefined));
    this.caCertificates = pulumi
      .all([ca, ready])
      .apply(async ([given]) => (isSpiffe ? await orStop(readOwnRoots(cluster), this) : given));
    // A preview may be of a cluster whose SPIRE server has never run.
    const readRoots = pulumi.runtime.isDryRun() ? readOwnRoots : requireOwnRoots;
    this.roots = pulumi
      .all([known, ready])
      .apply(async ([{ publishRoots }]) =>
        publishRoots === true ? await orStop<string | undefined>(readRoots(cluster), this) : undefined,
      );
    readyOnce(this, ready);
    this.registerOutputs({
      bundleEndpointUrl: this.bundleEndpointUrl,
      endpointSpiffeId: this.endpointSpiffeId,
      caCertificates: this.caCertificates,
      roots: this.roots,
    });
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }

  /** Step 14, where the operator's Route is not enough. */
  private ownRoute(
    name: string,
    cluster: Cluster,
    asked: pulumi.Output<AskedFederation>,
    rolledOut: pulumi.Output<unknown>,
    wait: Required<WaitOptions>,
  ): pulumi.Output<pulumi.Resource> {
    const route = makeRoute(this, cluster, name, asked, rolledOut);
    const after = pulumi.all([asked, onceApplied(route)]);
    return whenReady(this, after, "bundle endpoint", ([it]) => lookAtRoute(cluster, it), wait);
  }

  /** Step 15: the endpoint answers with this trust domain's bundle, asked from where `probe` says. */
  private probe(
    cluster: Cluster,
    args: pulumi.Unwrap<Pick<SpireFederationServerArgs, "host" | "trustDomain" | "profile" | "probe">>,
    ca: pulumi.Output<string | undefined>,
    admitted: pulumi.Output<pulumi.Resource>,
    wait: Required<WaitOptions>,
  ): pulumi.Output<pulumi.Resource> {
    const { trustDomain } = args;
    const url = `https://${args.host}`;
    if (args.probe === "cluster") {
      const what = "bundle endpoint, asked from inside the cluster";
      const served = whenReady(this, admitted, what, () => lookAtServedBundle(cluster, trustDomain), wait);
      return served.apply(async (component) => {
        const seen = `the SPIRE server serves its bundle inside the cluster; ${url} was not asked, because probe is cluster`;
        if (!pulumi.runtime.isDryRun()) await pulumi.log.info(seen, this);
        return component;
      });
    }
    if (args.profile === "https_spiffe") {
      const spiffeId = serverSpiffeId(trustDomain);
      const look = async () => lookAtSpiffeEndpoint(url, spiffeId, await readOwnRoots(cluster));
      return whenReady(this, admitted, "bundle endpoint", look, wait);
    }
    // Each up asks: a renewed certificate of a CA that peers do not know changes nothing in the program.
    return whenReady(
      this,
      pulumi.all([ca, admitted]),
      "bundle endpoint",
      ([caCertificates]) => lookAtWebEndpoint({ trustDomain, bundleEndpointUrl: url, caCertificates }),
      wait,
    );
  }
}

const probeSeconds = ({ acme }: BundleEndpointArgs): number =>
  acme === undefined ? PROBE_SECONDS : ACME_PROBE_SECONDS;

/** What the CRD, the operator or SPIRE would refuse. */
export function checkServer(args: SpireFederationServerArgs): Problem[] {
  const { manage, endpointCaCertificates } = args;
  return [
    ...checkTrustDomain("trustDomain", args.trustDomain),
    ...checkHost("host", args.host),
    ...checkBundleEndpoint(args),
    ...(args.acme !== undefined && args.probe === "cluster" ? problem("probe", ACME_IS_PUBLIC) : []),
    ...checkPeers("federatesWith", args.trustDomain, args.federatesWith ?? []),
    ...checkPeerCount("federatesWith", args.federatesWith?.length ?? 0, args.federatesWithMode),
    ...(manage === undefined ? [] : checkSpireServerSpec("manage", manage)),
    ...checkEndpointCa({ endpointCaCertificates }),
  ];
}

const checkEndpointCa = (args: Pick<ServerOptions, "endpointCaCertificates">): Problem[] =>
  checkCaCertificates("endpointCaCertificates", args.endpointCaCertificates);

/** The federation to wait for: an `up --target` that leaves the server out applies nothing of what is asked for. */
function awaitedFederation(
  asked: FederationSpec,
  applied: FederationSpec | undefined,
  component: pulumi.Resource,
): FederationSpec {
  const left = applied === undefined ? [] : deviations(asked, applied);
  if (applied === undefined || left.length === 0) return asked;
  const cure = "run pulumi up without --target to change it";
  void pulumi.log.warn(
    `SpireServer cluster is not among the targets and stays as it is: ${left.join("; ")}; ${cure}`,
    component,
  );
  return applied;
}
