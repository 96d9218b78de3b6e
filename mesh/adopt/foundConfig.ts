/** The config by which a stack asks for what a cluster has already. Pure. */
import { isDeepStrictEqual } from "node:util";
import { FILE_SYNC_INTERVAL, REFRESH_HINT } from "../../components/arguments";
import { CERTIFICATE_DEFAULTS, certificateSpec } from "../../components/federationCertificate";
import { federationRoute } from "../../components/federationRoute";
import type { FederationSpec } from "../../components/federationSpec";
import { planIssuer, type IssuerArgs, type IssuerKind } from "../../components/issuer";
import { PROGRAM } from "../../components/names";
import { isObject } from "../../components/untyped";
import { ENDPOINT_NAMES, type EndpointNames, nameKeys } from "../../stacks/endpointNames";
import { definedOnly } from "../../stacks/fields";
import { objectDifferences } from "../drift/difference";
import { foundPeers } from "./foundPeers";
import type { LiveIssuer, Survey } from "./survey";

/** Something that this program does not take over as it is. */
export interface Obstacle {
  /** Kind and name of the object. */
  object: string;
  found: string;
  cure: string;
  /** Config key that takes it away, if the stack's file has it. */
  unless?: string;
}

export interface FoundConfig {
  /** Without the project's name; nothing in it is secret. */
  config: Record<string, unknown>;
  obstacles: Obstacle[];
  /** What there is and stays somebody else's, and why. */
  leaves: string[];
}

export interface Surroundings {
  context: string;
  kubeconfig?: string | undefined;
  /** The project's stacks by the trust domains that their files have. */
  stacks: ReadonlyMap<string, string>;
  now: Date;
}

/** Undefined config: there is nothing to take over. */
export function foundConfig(found: Survey, around: Surroundings): FoundConfig {
  const { federation, trustDomain } = found;
  if (trustDomain === undefined || federation === undefined)
    return { config: {}, obstacles: nothingThere(found), leaves: [] };
  const { federatesWith = [] } = federation;
  const peers = foundPeers({ ...found, federatesWith }, around.stacks, around.now);
  const endpoint = foundEndpoint(found, federation);
  return {
    config: {
      ...definedOnly({ kubeconfig: around.kubeconfig }),
      context: around.context,
      trustDomain,
      peers: peers.entries,
      ...endpoint.config,
      ...(peers.listed ? {} : { federatesWith: "dynamic" }),
    },
    obstacles: [...endpoint.obstacles, ...peers.obstacles],
    leaves: [...endpoint.leaves, ...peers.leaves],
  };
}

function nothingThere({ trustDomain }: Survey): Obstacle[] {
  if (trustDomain === undefined) {
    const object = "ZeroTrustWorkloadIdentityManager cluster";
    return [{ object, found: "it is not there", cure: "choose the context of a cluster that has ZTWIM" }];
  }
  const cure = `there is no federation to adopt; write the stack's file and run npx ${PROGRAM} up`;
  return [{ object: "SpireServer cluster", found: "it has no federation", cure }];
}

type Part = Omit<FoundConfig, "config">;

function foundEndpoint(found: Survey, { bundleEndpoint }: FederationSpec): FoundConfig {
  const { profile, refreshHint, httpsWeb } = bundleEndpoint;
  const hint = refreshHint === REFRESH_HINT.default ? {} : { refreshHint };
  const route = foundRoute(found);
  if (profile === "https_spiffe") return { config: { profile, ...hint }, ...route };
  const { servingCert, acme } = httpsWeb ?? {};
  if (acme !== undefined) {
    const { directoryUrl: server, email, tosAccepted } = acme;
    const issuer = { type: "spire", server, email, tosAccepted: tosAccepted === "true" };
    return { config: { profile, ...hint, issuer }, ...route };
  }
  const fileSyncInterval = servingCert?.fileSyncInterval ?? FILE_SYNC_INTERVAL.default;
  const common = { profile, ...hint, ...(fileSyncInterval !== FILE_SYNC_INTERVAL.default && { fileSyncInterval }) };
  if (servingCert?.externalSecretRef === undefined)
    return { config: { ...common, issuer: { type: "router" } }, ...route };
  const certificate = foundCertificate(found, servingCert.externalSecretRef);
  return {
    config: { ...common, ...certificate.config },
    obstacles: [...route.obstacles, ...certificate.obstacles],
    leaves: [...route.leaves, ...certificate.leaves],
  };
}

/** The operator makes its Route by itself where it is asked to, and that is all there has to be. */
function foundRoute({ trustDomain = "", ingressDomain = "", federation }: Survey): Part {
  const { managedRoute } = federationRoute({ trustDomain }, ingressDomain);
  const asked = managedRoute ? "true" : "false";
  if (federation?.managedRoute === asked)
    return { obstacles: [], leaves: ["Route spire-server-federation: the operator's"] };
  const found = `spec.federation.managedRoute is ${JSON.stringify(federation?.managedRoute)}, and a stack asks for "${asked}"`;
  const patch = `'{"spec":{"federation":{"managedRoute":"${asked}"}}}'`;
  const cure = `let the operator make its Route, which restarts nothing: oc patch spireservers.operator.openshift.io cluster --type merge -p ${patch}`;
  return { obstacles: [{ object: "SpireServer cluster", found, cure }], leaves: [] };
}

/** A Certificate that a stack would change stays somebody else's: cert-manager would issue another certificate for it. */
function foundCertificate({ certificate, issuer, access, ...found }: Survey, secret: string): FoundConfig {
  const { duration = "", renewBefore = "", issuerRef = {} } = certificate?.spec ?? {};
  const { kind = "Issuer", name = "" } = issuerRef;
  const { host } = federationRoute({ trustDomain: found.trustDomain ?? "" }, found.ingressDomain ?? "");
  const asked = { host, secretName: secret, duration, issuerRef: { kind: kind as IssuerKind, name } };
  const differ = objectDifferences({ ...certificateSpec(asked), renewBefore }, certificate?.spec ?? {});
  if (certificate === undefined || differ.length > 0) {
    const names = otherNames({ ...ENDPOINT_NAMES, secret });
    const called = `Certificate ${certificate?.metadata?.name ?? ""}`;
    const kept = `${called}: a stack would make another one of it (${differ.map(({ path }) => path).join(", ")})`;
    return {
      config: { issuer: { type: "secret" }, ...(Object.keys(names).length > 0 && { names }) },
      obstacles: [],
      leaves: [
        `Secret ${secret}: never read, and kept by somebody else, who also lets the router read it`,
        ...(certificate === undefined ? [] : [kept]),
      ],
    };
  }
  const own = ownIssuer(issuer, kind, name);
  const names = otherNames({ certificate: certificate.metadata?.name, secret, ...access });
  return {
    config: {
      issuer: own ?? { type: "existing", kind, name },
      ...(duration !== CERTIFICATE_DEFAULTS.duration && { certificateDuration: duration }),
      ...(renewBefore !== CERTIFICATE_DEFAULTS.renewBefore && { renewBefore }),
      ...(Object.keys(names).length > 0 && { names }),
    },
    obstacles: [],
    leaves: [
      `Secret ${secret}: cert-manager's, and never read`,
      ...(own === undefined ? [`${kind} ${name}: the Certificate refers to it, and it stays as it is`] : []),
    ],
  };
}

/** Those that are not the procedure's. */
const otherNames = (found: { [K in keyof EndpointNames]?: string | undefined }): Partial<EndpointNames> =>
  definedOnly(
    Object.fromEntries(nameKeys.filter((key) => found[key] !== ENDPOINT_NAMES[key]).map((key) => [key, found[key]])),
  );

/** The issuer as a stack would make it; undefined where a stack would make another one. */
function ownIssuer(issuer: LiveIssuer | undefined, kind: string, name: string): IssuerArgs | undefined {
  if (issuer?.spec === undefined || kind !== "Issuer") return undefined;
  return issuersOf(issuer.spec).find((args) =>
    planIssuer(args).objects.some((object) => object.name === name && isDeepStrictEqual(object.spec, issuer.spec)),
  );
}

/** What a stack's config could say of an issuer with that specification. */
function issuersOf({ acme, ca }: Record<string, unknown>): IssuerArgs[] {
  if (isObject(ca) && typeof ca["secretName"] === "string") {
    return [{ type: "ca" }, { type: "ca", secretName: ca["secretName"] }];
  }
  if (!isObject(acme) || typeof acme["server"] !== "string") return [];
  const email = typeof acme["email"] === "string" ? { email: acme["email"] } : {};
  return [
    { type: "acme", ...email },
    { type: "acme", server: acme["server"], ...email },
  ];
}
