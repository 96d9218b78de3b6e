/** The config by which a stack asks for what a cluster has already. Pure. */
import { isDeepStrictEqual } from "node:util";
import { REFRESH_HINT } from "../../components/shared/arguments";
import { CERTIFICATE_DEFAULTS, certificateSpec } from "../../components/federationCertificate";
import { federationRoute, operatorsHost, routeSpec } from "../../components/route/federationRoute";
import type { FederationSpec } from "../../components/route/federation";
import { planIssuer, type Issuer, type IssuerKind } from "../../components/certificates/issuer";
import { PROGRAM } from "../../components/shared/names";
import { isObject } from "../../components/shared/untyped";
import { ENDPOINT_NAMES, type EndpointNames, nameKeys } from "../../stacks/endpointNames";
import { definedOnly } from "../../stacks/fields";
import { objectDifferences } from "../kernel/difference";
import { shown } from "../kernel/redact";
import { foundPeers, type Obstacle } from "./foundPeers";
import { isExternal, type LiveIssuer, type LiveRoute, type Survey } from "./survey";

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

function foundEndpoint(found: Survey, { bundleEndpoint }: FederationSpec): FoundConfig {
  const { profile, refreshHint, httpsWeb } = bundleEndpoint;
  const route = foundRoute(found);
  const common = together(route, {
    profile,
    ...endpointOf(route, refreshHint === REFRESH_HINT.default ? {} : { refreshHint }),
  });
  if (profile === "https_spiffe") return common;
  const { servingCert, acme } = httpsWeb ?? {};
  if (acme !== undefined) {
    const { directoryUrl: server, email, tosAccepted } = acme;
    return together(common, { issuer: { type: "spire", server, email, tosAccepted: tosAccepted === "true" } });
  }
  const { externalSecretRef } = servingCert ?? {};
  if (externalSecretRef === undefined) return together(common, { issuer: { type: "router" } });
  const certificate = foundCertificate(found, externalSecretRef, hostOf(found, route));
  return {
    config: { ...common.config, ...certificate.config, ...namesOf(common, certificate) },
    obstacles: [...common.obstacles, ...certificate.obstacles],
    leaves: [...common.leaves, ...certificate.leaves],
  };
}

const together = (found: FoundConfig, more: Record<string, unknown>): FoundConfig => ({
  ...found,
  config: { ...found.config, ...more },
});

const namesOf = (...parts: FoundConfig[]): { names?: object } => {
  const names = Object.assign({}, ...parts.map(({ config }) => config["names"])) as object;
  return isEmpty(names) ? {} : { names };
};

/** The key `endpoint` with more in it; nothing where it would be empty. */
function endpointOf({ config }: FoundConfig, more: object): { endpoint?: object } {
  const endpoint = { ...(isObject(config["endpoint"]) && config["endpoint"]), ...more };
  return isEmpty(endpoint) ? {} : { endpoint };
}

const isEmpty = (object: object): boolean => Object.keys(object).length === 0;

const hostOf = ({ trustDomain = "", ingressDomain = "" }: Survey, { config }: FoundConfig): string =>
  isObject(config["endpoint"]) && typeof config["endpoint"]["host"] === "string"
    ? config["endpoint"]["host"]
    : federationRoute({ trustDomain }, ingressDomain).host;

/** The operator makes its Route by itself where it is asked to; one beside it is the stack's own. */
function foundRoute(found: Survey): FoundConfig {
  const { trustDomain = "", ingressDomain = "", federation, routes } = found;
  const { managedRoute, host: usual, own: needed } = federationRoute({ trustDomain }, ingressDomain);
  const asked = managedRoute ? "true" : "false";
  const obstacles: Obstacle[] = [];
  const leaves = ["Route spire-server-federation: the operator's"];
  if (federation?.managedRoute !== asked) {
    const isNow = `spec.federation.managedRoute is ${JSON.stringify(federation?.managedRoute)}, and a stack asks for "${asked}"`;
    const patch = `'{"spec":{"federation":{"managedRoute":"${asked}"}}}'`;
    const cure = `let the operator make its Route, which restarts nothing: oc patch spireservers.operator.openshift.io cluster --type merge -p ${patch}`;
    obstacles.push({ object: "SpireServer cluster", found: isNow, cure });
  }
  // Peers may ask at several hosts; it is the one that has the certificate, or the only one that a router serves.
  const isEndpoint = ({ spec: { host = "" } = {} }: LiveRoute): boolean =>
    host !== operatorsHost(trustDomain) &&
    (needed !== undefined || found.certificate?.spec?.dnsNames?.includes(host) === true);
  const [own, ...more] = routes.filter(isEndpoint);
  for (const { metadata } of routes.filter((route) => !isEndpoint(route)))
    leaves.push(`Route ${metadata?.name ?? ""}: the operator's serves the endpoint`);
  if (own === undefined || federation === undefined) return { config: {}, obstacles, leaves };
  const { name = "", labels = {} } = own.metadata ?? {};
  const host = own.spec?.host ?? "";
  const object = `Route ${name}`;
  const differ = objectDifferences(routeSpec(host, federation), own.spec);
  if (more.length > 0) {
    const others = more.map(({ metadata }) => metadata?.name ?? "").join(", ");
    obstacles.push({ object, found: `beside it there are ${others}`, cure: "delete all but the one that peers ask" });
  } else if (differ.length > 0) {
    const isNow = differ.map(({ path, found: value }) => `${path} is ${shown(path, value)}`).join(", ");
    const would = differ.map(({ path, expected }) => `${path}: ${shown(path, expected)}`).join(", ");
    obstacles.push({ object, found: isNow, cure: `a stack asks for ${would}; change it to that, or delete it` });
  }
  const names = otherNames({ ...ENDPOINT_NAMES, route: name });
  const endpoint = {
    ...(host !== usual && { host }),
    ...(!isEmpty(labels) && { routeLabels: labels }),
  };
  const config = { ...(!isEmpty(endpoint) && { endpoint }), ...(!isEmpty(names) && { names }) };
  return { config, obstacles, leaves };
}

/** A Certificate that a stack would change stays somebody else's: cert-manager would issue another certificate for it. */
function foundCertificate({ certificate, issuer, access }: Survey, secret: string, host: string): FoundConfig {
  const { duration = "", renewBefore = "", issuerRef = {} } = certificate?.spec ?? {};
  const { group, kind = "Issuer", name = "" } = issuerRef;
  const asked = { host, secretName: secret, duration, issuerRef: { kind: kind as IssuerKind, name } };
  const differ = objectDifferences({ ...certificateSpec(asked), renewBefore }, certificate?.spec ?? {});
  const external = isExternal(issuerRef);
  if (certificate === undefined || differ.length > 0 || external) {
    const names = otherNames({ ...ENDPOINT_NAMES, secret });
    const called = `Certificate ${certificate?.metadata?.name ?? ""}`;
    const kept = external
      ? `${called}: ${kind} ${name} of ${group ?? "no group"} signs it, and a stack refers to cert-manager's own issuers alone; ` +
        "if its CA is not public, give the CA as endpoint.ca"
      : `${called}: a stack would make another one of it (${differ.map(({ path }) => path).join(", ")})`;
    return {
      config: { issuer: { type: "secret" }, ...(!isEmpty(names) && { names }) },
      obstacles: [],
      leaves: [
        `Secret ${secret}: never read, and kept by somebody else, who also lets the router read it`,
        ...(certificate === undefined ? [] : [kept]),
      ],
    };
  }
  const own = ownIssuer(issuer, kind, name, host);
  const names = otherNames({ ...ENDPOINT_NAMES, certificate: certificate.metadata?.name, secret, ...access });
  return {
    config: {
      issuer: {
        ...(own ?? { type: "existing", kind, name }),
        ...(duration !== CERTIFICATE_DEFAULTS.duration && { duration }),
        ...(renewBefore !== CERTIFICATE_DEFAULTS.renewBefore && { renewBefore }),
      },
      ...(!isEmpty(names) && { names }),
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
function ownIssuer(issuer: LiveIssuer | undefined, kind: string, name: string, host: string): Issuer | undefined {
  if (issuer?.spec === undefined || kind !== "Issuer") return undefined;
  return issuersOf(issuer.spec).find((args) =>
    planIssuer(args, host).objects.some(
      (object) => object.name === name && isDeepStrictEqual(object.spec, issuer.spec),
    ),
  );
}

/** What a stack's config could say of an issuer with that specification. */
function issuersOf({ acme, ca }: Record<string, unknown>): Issuer[] {
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
