/** What one stack is configured to be. The only reader of Pulumi's config; everything else takes a ClusterConfig. */
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "../components/cluster/access";
import { checkPeerCount } from "../components/bundle/checkPeer";
import * as check from "../components/shared/arguments";
import type { ProbeFrom } from "../components/bundle/clusterProbe";
import { CERTIFICATE_DEFAULTS } from "../components/federationCertificate";
import { ISSUER_DEFAULTS } from "../components/certificates/issuer";
import { kubeconfigName, usedContext } from "../components/cluster/kubeconfig";
import type { Profile } from "../components/bundle/peer";
import type { Problem } from "../components/shared/problem";
import { readBundleFile } from "./bundleFile";
import { certManagerIssuer, checkEndpointIssuer, type EndpointIssuer, type Open } from "./endpoint";
import { checkEndpointNames, type EndpointNames, endpointNames } from "./endpointNames";
import { Fields, definedOnly } from "./fields";
import { type ConfiguredPeer, configuredPeers, type ReadFile } from "./peers";
import { ConfigError } from "./refusal";
import { type ManagedSpireServer, managedSpireServer, takesOverFederation } from "./spireServerConfig";
import type { StackName } from "./stackName";

export interface ClusterConfig extends ClusterAccess {
  /** The stack that is configured. */
  self: StackName;
  trustDomain: string;
  peers: ConfiguredPeer[];
  profile: Profile;
  /** From where the own endpoint is proved: from this machine, or from inside the cluster. */
  probe: ProbeFrom;
  /** Seconds after which peers are to fetch the bundle again. */
  refreshHint: number;
  /** Seconds between two reads of the serving certificate by SPIRE, from the live SpireServer; the config has no key for it. */
  fileSyncInterval?: number;
  issuer: EndpointIssuer;
  /** Which of the two the config leaves out. They have their defaults then, and the cluster's own value replaces these. */
  open: Open;
  certificateTimes: pulumi.Unwrap<check.CertificateTimes>;
  names: EndpointNames;
  certManager: {
    channel?: string;
    source?: string;
    sourceNamespace?: string;
    installPlanApproval?: "Automatic" | "Manual";
  };
  federatesWith: "static" | "dynamic";
  /** Whether SPIRE is to trust the CAs of peers' endpoints, where these are not public. */
  trustPeerCas: boolean;
  /** The whole SpireServer, when the stack is to own it. */
  spireServer?: ManagedSpireServer;
  /** Whether the stack overwrites what somebody else has set in `spec.federation`. */
  takesOverFederation: boolean;
  /** CA certificates (PEM) that vouch for the endpoint, where they are not public. */
  endpointCa?: string;
  /** Host of the bundle endpoint, where it is not the default one. */
  endpointHost?: string;
  /** Labels of the endpoint's Route, by which an ingress shard selects it. */
  routeLabels?: Record<string, string>;
}

/** Keys of older releases, and what takes their place. */
const MOVED: Readonly<Record<string, string>> = {
  bootstrap: 'an entry of "peers", as {stack: <name>, bootstrap: stack}',
  rebootstrap: 'the peer\'s entry of "peers", as {stack: <name>, rebootstrap: <number>}',
  refreshHint: "endpoint.refreshHint",
  endpointCa: "endpoint.ca",
  endpointHost: "endpoint.host",
  routeLabels: "endpoint.routeLabels",
  certificateDuration: "issuer.duration",
  renewBefore: "issuer.renewBefore",
  renewJitterHours: "issuer.renewJitterHours",
  fileSyncInterval: "nothing: what the SpireServer has stays",
};

/** The running stack's config; a ConfigError lists all that is wrong with it. */
export function readConfig(): ClusterConfig {
  const self = {
    organization: pulumi.getOrganization(),
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
  };
  const namespace = `${self.project}:`;
  const ours = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(namespace));
  const secret = secretKeys().filter((key) => key.startsWith(namespace));
  const own = (key: string): string => key.slice(namespace.length);
  const config = parseConfig(Object.fromEntries(ours.map(([key, value]) => [own(key), value])), self, secret.map(own));
  const found = withContext(config);
  if (config.context === undefined && found.context !== undefined) {
    void pulumi.log.info(`context is not set; "${found.context}" of the kubeconfig ${kubeconfigName(config)} is used`);
  }
  return found;
}

/** Fills in the context that is used when the config names none. If it cannot be determined it stays empty; connecting then gives the error. */
export function withContext(config: ClusterConfig): ClusterConfig {
  return config.context === undefined ? { ...config, ...definedOnly({ context: usedContext(config) }) } : config;
}

/**
 * Keys whose values Pulumi has decrypted, at least in part. Pulumi passes their names in this variable. Its SDK has no
 * public way to ask which keys are secrets: `getSecret` marks every value as one.
 */
function secretKeys(): string[] {
  const keys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]");
  return Array.isArray(keys) ? keys.map(String) : [];
}

/**
 * `raw` has the keys without their namespace, and the values as Pulumi gives them: lists and objects are JSON, and a
 * secret that was not decrypted is NOT_SHOWN. `secret` lists the keys that were decrypted. It also reads the
 * files that the config names; a relative path starts at the current folder.
 */
export function parseConfig(
  raw: Readonly<Record<string, unknown>>,
  self: StackName,
  secret: readonly string[] = [],
  readFile: ReadFile = (path) => readBundleFile("", path),
): ClusterConfig {
  const problems: Problem[] = [];
  const fields = new Fields(raw, "", problems);
  const profile = fields.choice("profile", ["https_web", "https_spiffe"]);
  const issuerFields = fields.object("issuer");
  const endpoint = fields.object("endpoint");
  const config: ClusterConfig = {
    self,
    ...fields.texts("context", "kubeconfig"),
    trustDomain: fields.requiredText("trustDomain"),
    peers: configuredPeers(fields, self, problems, readFile),
    profile: profile ?? "https_web",
    probe: fields.choice("probe", ["machine", "cluster"]) ?? "machine",
    refreshHint: endpoint.integer("refreshHint") ?? check.REFRESH_HINT.default,
    ...issuer(issuerFields),
    open: { profile: profile === undefined, issuer: issuerFields.keys().length === 0 },
    names: endpointNames(fields.object("names")),
    certManager: certManager(fields.object("certManager")),
    federatesWith: fields.choice("federatesWith", ["static", "dynamic"]) ?? "static",
    trustPeerCas: fields.flag("trustPeerCas") ?? false,
    takesOverFederation: takesOverFederation(fields, "spireServer"),
    ...definedOnly({
      spireServer: managedSpireServer(fields, "spireServer", secret.includes("spireServer")),
      endpointCa: endpoint.text("ca"),
      endpointHost: endpoint.text("host"),
      routeLabels: routeLabels(endpoint.object("routeLabels")),
    }),
  };
  for (const key of secret.filter((one) => one !== "spireServer" && raw[one] !== undefined)) fields.noteSecret(key);
  endpoint.refuseOthers();
  fields.refuseOthers(MOVED);
  // A value that is wrong by its type is not judged a second time.
  problems.push(...valueProblems(config).filter(({ path }) => !problems.some((noted) => noted.path === path)));
  ConfigError.throwIfAny(self.project, problems);
  return config;
}

/** What is wrong with values that are of the right type. */
function valueProblems({ endpointCa, ...config }: ClusterConfig): Problem[] {
  return [
    ...check.checkTrustDomain("trustDomain", config.trustDomain),
    ...checkPeerCount("peers", config.peers.length, config.federatesWith),
    ...check.checkSeconds("endpoint.refreshHint", config.refreshHint, check.REFRESH_HINT),
    ...checkEndpointIssuer("issuer", config.issuer),
    ...check.checkCertificateTimes(config.certificateTimes, "issuer."),
    ...checkEndpointNames("names", config.names),
    ...(endpointCa === undefined ? [] : check.checkCaCertificates("endpoint.ca", endpointCa)),
    ...(config.endpointHost === undefined ? [] : check.checkHost("endpoint.host", config.endpointHost)),
    ...check.checkLabels("endpoint.routeLabels", config.routeLabels ?? {}),
  ];
}

function routeLabels(fields: Fields): Record<string, string> | undefined {
  const keys = fields.keys();
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, fields.text(key) ?? ""]));
}

function issuer(fields: Fields): Pick<ClusterConfig, "issuer" | "certificateTimes"> {
  const type = fields.choice("type", ["acme", "ca", "existing", "router", "secret", "spire"]) ?? "acme";
  const chosen = issuerOfType(type, fields);
  const certificateTimes = { ...CERTIFICATE_DEFAULTS };
  if (certManagerIssuer({ profile: "https_web", issuer: chosen }) !== undefined) {
    const { duration, renewBefore } = fields.texts("duration", "renewBefore");
    Object.assign(
      certificateTimes,
      definedOnly({ duration, renewBefore, renewJitterHours: fields.integer("renewJitterHours") }),
    );
  }
  fields.refuseOthers();
  return { issuer: chosen, certificateTimes };
}

function issuerOfType(type: EndpointIssuer["type"], fields: Fields): EndpointIssuer {
  switch (type) {
    case "acme":
      return { type, ...fields.texts("server", "email", "ingressClassName") };
    case "ca":
      return { type, ...fields.texts("secretName"), ...definedOnly({ selfSigned: fields.flag("selfSigned") }) };
    case "existing":
      return {
        type,
        kind: fields.choice("kind", ["Issuer", "ClusterIssuer"]) ?? "Issuer",
        name: fields.requiredText("name"),
      };
    case "router":
    case "secret":
      return { type };
    case "spire":
      return {
        type,
        server: fields.text("server") ?? ISSUER_DEFAULTS.acmeServer,
        email: fields.requiredText("email"),
        tosAccepted: fields.flag("tosAccepted") ?? false,
      };
  }
}

function certManager(fields: Fields): ClusterConfig["certManager"] {
  const chosen = {
    ...fields.texts("channel", "source", "sourceNamespace"),
    ...definedOnly({ installPlanApproval: fields.choice("installPlanApproval", ["Automatic", "Manual"]) }),
  };
  fields.refuseOthers();
  return chosen;
}
