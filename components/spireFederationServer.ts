import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "./access";
import { checkCaCertificates, checkHost, checkPeers, checkTrustDomain } from "./arguments";
import { checkBundleEndpoint, renderBundleEndpoint, type BundleEndpointArgs } from "./bundleEndpoint";
import { fetchCommand } from "./bundleFetch";
import type { Cluster, ClusterReader } from "./cluster";
import { lookAtServedBundle, type ProbeFrom } from "./clusterProbe";
import { makeRoute, type OwnRoute } from "./federationRoute";
import { deviations, federationSpec, type AskedFederation, type FederationSpec } from "./federationSpec";
import { FIELD_MANAGER, OPERATOR_API, OWNED, SINGLETON } from "./names";
import { type Peer, serverSpiffeId } from "./peer";
import { asFault, refuse, type Problem } from "./problem";
import { type Verdict, whenReady, type WaitOptions } from "./readiness";
import { lookAtSpiffeEndpoint, readOwnRoots, requireOwnRoots } from "./spiffeEndpoint";
import { lookAtRoute } from "./routeReadiness";
import { done } from "./savedPlan";
import { lookAtSpireServer } from "./spireServerReadiness";
import { checkSpireServerSpec, secretSpireServerSpec, type SpireServerSpecArgs } from "./spireServerSpec";

export interface SpireFederationServerArgs extends BundleEndpointArgs {
  /** Reads the cluster, to wait for the server. */
  reader: Cluster;
  /** Trust domain of this cluster, as ZeroTrustWorkloadIdentityManager/cluster has it. */
  trustDomain: string;
  /** Host of the bundle endpoint. */
  host: string;
  /** Whether the operator makes its Route, for `federation.<trust domain>`. Default true; see `federationRoute`. */
  managedRoute?: boolean;
  /** The component's own Route, which serves the host beside the operator's. Default: the operator's serves it. */
  ownRoute?: OwnRoute | undefined;
  /** How a person reaches the cluster, for the commands in messages. */
  access?: ClusterAccess;
  /** The peers whose bundles are held: `FederatedTrustDomain.held` of each. Default none. */
  federatesWith?: pulumi.Input<pulumi.Input<Peer>[]>;
  /**
   * `static` (default): peers are listed in the SpireServer too, as the procedure has it; each change restarts the
   * server. `dynamic`: the ClusterFederatedTrustDomains alone say it, which never restarts the server.
   */
  federatesWithMode?: "static" | "dynamic";
  /** Own these fields of the SpireServer, too, and make it where there is none. Default: someone else owns the rest. */
  manage?: SpireServerSpecArgs;
  /** Keep all of `manage` secret in the state, because the config that it comes from is. Default: the connection string. */
  manageSecret?: boolean;
  /** CA certificates (PEM) that vouch for this cluster's endpoint; needed when they are not public. */
  endpointCaCertificates?: pulumi.Input<string | undefined>;
  /**
   * `machine` (default): the endpoint is asked by its URL from here. `cluster`: the API server asks the SPIRE server,
   * which says nothing about the way through the router.
   */
  probe?: ProbeFrom;
  /** Read the trust domain's own roots, for the output `roots`. Default false. */
  publishRoots?: boolean;
  /** Default 600 seconds. */
  wait?: WaitOptions;
}

/** How long the endpoint may take to answer once server and Route are ready: the router needs a moment. */
const PROBE_SECONDS = 30;

/**
 * The federation side of the SPIRE server (steps 11 to 15, 19 and 20 of the procedure): its bundle endpoint, the peers
 * that it federates with, and the proof that the endpoint answers, or with `probe: cluster` the SPIRE server behind it.
 *
 * By default the stack owns `spec.federation` of the existing SpireServer and nothing else of it. Neither that nor a
 * whole SpireServer is taken away by a destroy: the CRD refuses to unset a federation, and the server must go on.
 *
 * A Route of the component's own stands beside the operator's, comes once the server is Ready, and goes with the component.
 *
 * Readiness is followed from the specification to the endpoint; see `spireServerReadiness` for why `Ready=True` is not
 * enough. Give it the router's access in `dependsOn`: the Route is refused without.
 *
 * @throws ResourceError for every argument that the CRD or SPIRE would refuse, all at once
 * @example
 * const server = new SpireFederationServer(
 *   "federation-server",
 *   { reader, trustDomain, host, servingCert: { externalSecretRef: certificate.secretName } },
 *   { provider, dependsOn: access },
 * );
 */
export class SpireFederationServer extends pulumi.ComponentResource {
  /** URL of the bundle endpoint; known once it has answered, from where `probe` asks it. */
  readonly bundleEndpointUrl: pulumi.Output<string>;
  /** SPIFFE ID that the endpoint presents; only with `https_spiffe`. */
  readonly endpointSpiffeId: pulumi.Output<string | undefined>;
  /** CA certificates (PEM) that vouch for the endpoint: those given, or the server's own roots with `https_spiffe`. */
  readonly caCertificates: pulumi.Output<string | undefined>;
  /** X.509 roots (PEM) of the trust domain, as the cluster has them once the endpoint has answered; with `publishRoots`. */
  readonly roots: pulumi.Output<string | undefined>;
  /** This component, once the endpoint has answered. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, args: SpireFederationServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:SpireFederationServer", name, {}, opts);
    refuse(name, checkArguments(args), this);

    const url = `https://${args.host}`;
    const spiffeId = args.profile === "https_spiffe" ? serverSpiffeId(args.trustDomain) : undefined;
    const wait = { timeoutSeconds: 600, pollMs: 1000, ...args.wait };
    const federation = renderFederation(args, this);
    const server = makeServer(this, `${name}-server`, args, federation);

    // Not known in the preview of a first up.
    const { host, ownRoute, access } = args;
    const served = { host, ...(ownRoute && { ownRoute }), ...(access && { access }) };
    const asked = pulumi
      .all([federation, server.id])
      .apply(([spec]): AskedFederation => ({ ...served, federation: spec }));
    const awaited = pulumi
      .all([federation, pulumi.runtime.isDryRun() ? federation : federationOf(server), done(server)])
      .apply(([spec, applied]) => ({ ...served, federation: awaitedFederation(spec, applied, this) }));
    const rolledOut = whenReady(this, awaited, "SpireServer cluster", (it) => lookAtSpireServer(args.reader, it), wait);
    const admitted =
      ownRoute === undefined
        ? rolledOut
        : this.ownRoute(`${name}-route`, args.reader, ownRoute, asked, rolledOut, wait);
    const patience = { ...wait, timeoutSeconds: PROBE_SECONDS };
    if (args.probe === "cluster") {
      const look = (): Promise<Verdict> => lookAtServedBundle(args.reader, args.trustDomain);
      const served = whenReady(this, admitted, "bundle endpoint, asked from inside the cluster", look, patience);
      this.ready = served.apply(async (component) => {
        const seen = `the SPIRE server serves its bundle inside the cluster; ${url} was not asked, because probe is cluster`;
        if (!pulumi.runtime.isDryRun()) await pulumi.log.info(seen, this);
        return component;
      });
    } else if (spiffeId === undefined) {
      this.ready = this.probeWithCurl(`${name}-probe`, args, url, federation, admitted);
    } else {
      const look = async (): Promise<Verdict> => lookAtSpiffeEndpoint(url, spiffeId, await readOwnRoots(args.reader));
      this.ready = whenReady(this, admitted, "bundle endpoint", look, patience);
    }

    this.bundleEndpointUrl = this.ready.apply(() => url);
    this.endpointSpiffeId = pulumi.output(spiffeId);
    this.caCertificates = pulumi
      .all([args.endpointCaCertificates, this.ready])
      .apply(async ([given]) =>
        spiffeId === undefined ? given : await readOwnRoots(args.reader).catch(asFault(this)),
      );
    this.roots = this.ready.apply(async () => (args.publishRoots === true ? this.ownRoots(args.reader) : undefined));
    this.registerOutputs({
      bundleEndpointUrl: this.bundleEndpointUrl,
      endpointSpiffeId: this.endpointSpiffeId,
      caCertificates: this.caCertificates,
      roots: this.roots,
    });
  }

  private ownRoots(reader: ClusterReader): Promise<string | undefined> {
    // A preview may be of a cluster whose SPIRE server has never run.
    const read = pulumi.runtime.isDryRun() ? readOwnRoots : requireOwnRoots;
    return read(reader).catch(asFault(this));
  }

  /** Step 14, where the operator's Route is not enough. */
  private ownRoute(
    name: string,
    reader: ClusterReader,
    { labels }: OwnRoute,
    asked: pulumi.Output<AskedFederation>,
    rolledOut: pulumi.Output<pulumi.Resource>,
    wait: Required<WaitOptions>,
  ): pulumi.Output<pulumi.Resource> {
    // Through its specification, not dependsOn: a child cannot depend on its own parent. And while that is not known, a
    // preview doesn't ask the API server, which would refuse a Route before there is a certificate that the router may read.
    const route = makeRoute(
      this,
      name,
      pulumi.all([asked, rolledOut]).apply(([it]) => it),
      labels,
    );
    return whenReady(
      this,
      pulumi.all([asked, done(route)]),
      "bundle endpoint",
      ([it]) => lookAtRoute(reader, it),
      wait,
    );
  }

  /**
   * Step 15: the endpoint answers with this trust domain's bundle. It asks again whenever the server is restarted with
   * another federation, or the URL or the CA is another.
   */
  private probeWithCurl(
    name: string,
    args: SpireFederationServerArgs,
    url: string,
    federation: pulumi.Output<FederationSpec>,
    admitted: pulumi.Output<pulumi.Resource>,
  ): pulumi.Output<pulumi.Resource> {
    const { trustDomain } = args;
    const caCertificates = pulumi.output(args.endpointCaCertificates).apply((given) => given ?? "");
    const command = fetchCommand(
      // Through this input, as above.
      { trustDomain, bundleEndpointUrl: admitted.apply(() => url), caCertificates },
      PROBE_SECONDS,
      [url, caCertificates, federation.apply((spec) => JSON.stringify(spec))],
    );
    // What it serves is its peers' business: they fetch it themselves.
    const probe = new local.Command(name, { ...command, create: "sh -s >/dev/null" }, { parent: this });
    return done(probe).apply(() => this);
  }
}

/** What the CRD, the operator or SPIRE would refuse. Peers are checked when they are known. */
function checkArguments(args: SpireFederationServerArgs): Problem[] {
  const { manage, endpointCaCertificates } = args;
  return [
    ...checkTrustDomain("trustDomain", args.trustDomain),
    ...checkHost("host", args.host),
    ...checkBundleEndpoint(args),
    ...(manage === undefined ? [] : checkSpireServerSpec("manage", manage)),
    ...(typeof endpointCaCertificates === "string"
      ? checkCaCertificates("endpointCaCertificates", endpointCaCertificates)
      : []),
  ];
}

function renderFederation(args: SpireFederationServerArgs, component: pulumi.Resource): pulumi.Output<FederationSpec> {
  const peers = args.federatesWithMode === "dynamic" ? [] : (args.federatesWith ?? []);
  return pulumi.all([renderBundleEndpoint(args, args.host), peers]).apply(([endpoint, known]) => {
    refuse("SpireServer cluster", checkPeers("federatesWith", args.trustDomain, known), component);
    return federationSpec(endpoint, known, args.managedRoute);
  });
}

/**
 * What Pulumi keeps of the live SpireServer beside what the stack asks for: all of it. Somebody else may have written a
 * database password there, and `oc apply` writes the whole object into an annotation once more.
 */
const READ_BACK = ["spec", "status", "metadata"];

/**
 * The fields of the SpireServer that the stack owns; retained.
 *
 * A patch also where the stack makes the SpireServer: of a whole object Pulumi's provider takes over every field that
 * somebody has set with oc or kubectl, and the next apply takes away all of them that the stack doesn't set.
 */
function makeServer(
  parent: pulumi.Resource,
  name: string,
  { manage, manageSecret }: SpireFederationServerArgs,
  federation: pulumi.Output<FederationSpec>,
): pulumi.CustomResource {
  const args = {
    apiVersion: OPERATOR_API,
    kind: "SpireServer",
    metadata: {
      name: SINGLETON,
      annotations: {
        ...OWNED,
        "pulumi.com/patchFieldManager": FIELD_MANAGER,
      },
    },
    spec: { ...(manage === undefined ? {} : secretSpireServerSpec(manage, manageSecret === true)), federation },
  };
  const opts = { parent, retainOnDelete: true, additionalSecretOutputs: READ_BACK };
  return new k8s.apiextensions.CustomResourcePatch(name, args, opts);
}

/**
 * `spec.federation` of the server once it is applied, or in the state when `--target` leaves the server out. Not secret,
 * whatever the rest of the specification is: what waits for it ends up in the outputs that the peers read.
 */
function federationOf(server: pulumi.CustomResource): pulumi.Output<FederationSpec | undefined> {
  const { spec } = server as unknown as { spec: pulumi.Output<{ federation?: FederationSpec } | undefined> };
  return pulumi.unsecret(spec.apply((applied) => applied?.federation));
}

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
