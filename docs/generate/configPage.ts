/** docs/config.md, made of Pulumi.yaml and of the types that config and outputs have. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ISSUER_PROPERTIES } from "../../components/certificates/issuer";
import { code, markdownTable } from "./table";
import { fieldsOf, ROOT } from "./typeFields";

interface Key {
  /** Left out where Pulumi has no such type. */
  type?: string;
  default?: unknown;
  description: string;
}

export function configPage(): string {
  return `${[HEAD, keys(), PARTS, peers(), issuers(), endpoint(), certManager(), SPIRE_SERVER, OUTPUTS, outputs(), CONTRACT, contract()].join("\n\n")}\n`;
}

const HEAD = `# Config and outputs

<!-- Made by \`npm run docs\` of Pulumi.yaml and the types in components/ and stacks/; edit them there. -->

Every key is in the namespace \`spire-federation:\` of \`Pulumi.<stack>.yaml\`. Defaults come from \`Pulumi.yaml\`, from \`stackConfigDir\` and
from imported environments, as in any Pulumi project. A part of an object is set by its path:
\`npx pulumi config set --stack cluster1 --path issuer.type ca\`. All faults of a config are reported together, each with its key and what would be right,
before anything is changed.

## Keys`;

const PARTS = `## Parts of objects`;

function keys(): string {
  const { config } = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")) as { config: Record<string, Key> };
  const own = Object.entries(config).filter(([key]) => !key.includes(":"));
  return markdownTable(
    ["key", "type", "default", "meaning"],
    own.map(([key, { type, default: usual, description }]) => [code(key), type ?? "list", shown(usual), description]),
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "required";
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
    ? ""
    : code(JSON.stringify(value).replaceAll('"', ""));
}

/** What an entry that is an object may have. */
const PEER: readonly (readonly [key: string, meaning: string])[] = [
  [
    "stack",
    "Name of a stack, where the entry is one. Only `trustDomain`, `fingerprints`, `caFingerprints`, `trust`, `objectName`, `bootstrap` and `rebootstrap` go with it.",
  ],
  ["name", "Short name of a peer that is no stack; its ClusterFederatedTrustDomain is `<name>-federation`. Required."],
  [
    "trustDomain",
    "Its trust domain. Required of a peer that is no stack; a stack that publishes another one is refused. Default of a stack: `trustDomain` in its `Pulumi.<stack>.yaml`, where the project has that file.",
  ],
  ["bundleEndpointUrl", "URL of its bundle endpoint. Required."],
  ["profile", "`https_web` or `https_spiffe`. Default `https_web`."],
  [
    "endpointSpiffeId",
    "SPIFFE ID of its endpoint, with `https_spiffe`. Default `spiffe://<trustDomain>/spire/server`.",
  ],
  ["caCertificates", "CA certificates (PEM) that vouch for its endpoint, with `https_web`. Default: the public CAs."],
  [
    "bundle",
    "The bundle (JWKS) with which trust begins. Required with `https_spiffe`. Default: its endpoint is asked.",
  ],
  ["bundleFile", "File with that bundle; a relative path starts at the project's folder."],
  ["fingerprints", "SHA-256 of each X.509 root and JWT key with which trust may begin. Default: any."],
  [
    "caFingerprints",
    "SHA-256 of CAs of its endpoint that SPIRE may trust for every host, with `trustPeerCas`. Default none: a CA needs name constraints that permit the endpoint's host alone.",
  ],
  [
    "objectName",
    "Name of its ClusterFederatedTrustDomain, where one of another name is there already. Default `<name>-federation`.",
  ],
  [
    "bootstrap",
    "Where the first bundle of a stack comes from: `endpoint`, its bundle endpoint; `stack`, the outputs of the stack, for a machine that reaches no endpoints. Default `endpoint`.",
  ],
  [
    "rebootstrap",
    "A changed number fetches the bundle again and sends it to SPIRE, for a peer that has lost its keys. Default 0.",
  ],
  ["trust", "`oneway` for a peer that need not trust this cluster. Default `mutual`."],
];

function peers(): string {
  const rows = PEER.map(([key, meaning]) => [code(`peers[].${key}`), meaning]);
  return `### peers

An entry is the name of a stack, or an object. See [What if a peer has no stack?](outside-peers.md).

${markdownTable(["key", "meaning"], rows)}`;
}

function issuers(): string {
  const rows = Object.entries(ISSUER_PROPERTIES).flatMap(([type, properties]) =>
    fieldsOf("components/certificates/issuer.ts", "IssuerArgs", properties).map(({ name, about }) => [
      code(`issuer.${name}`),
      code(type),
      about.replace(`${code(type)}: `, ""),
    ]),
  );
  for (const { name, about } of fieldsOf("stacks/endpoint.ts", "SpireIssuer", ["server", "email", "tosAccepted"])) {
    rows.push([code(`issuer.${name}`), code("spire"), about]);
  }
  const times = fieldsOf("components/federationCertificate.ts", "CertificateOptions", TIMES);
  rows.push(...times.map(({ name, about }) => [code(`issuer.${name}`), "`acme`, `ca`, `existing`", about]));
  return `### issuer\n\n${markdownTable(["key", "with type", "meaning"], rows)}`;
}

const TIMES = ["duration", "renewBefore", "renewJitterHours"];

/** How the own bundle endpoint is reached and verified. */
const ENDPOINT: readonly (readonly [key: string, meaning: string])[] = [
  [
    "host",
    "Its host. Default `federation.<trust domain>` if that is below the ingress domain, else `federation.<ingress domain>`. It must resolve to a router of the cluster.",
  ],
  [
    "ca",
    "CA certificates (PEM) that verify it where they are not public. Published to the peers. Default: the issuer's, where that has one of its own.",
  ],
  [
    "routeLabels",
    "Labels of its Route, by which an ingress shard selects it. The stack then creates a Route of its own.",
  ],
  [
    "refreshHint",
    "Seconds after which peers fetch the bundle again, 60 to 3600. SPIRE asks four times as often. Default 300.",
  ],
];

function endpoint(): string {
  const rows = ENDPOINT.map(([key, meaning]) => [code(`endpoint.${key}`), meaning]);
  return `### endpoint\n\n${markdownTable(["key", "meaning"], rows)}`;
}

const CERT_MANAGER = ["channel", "source", "sourceNamespace", "installPlanApproval"];

function certManager(): string {
  const fields = fieldsOf("components/certManagerInstall.ts", "CertManagerArgs", CERT_MANAGER);
  const rows = fields.map(({ name, about }) => [code(`certManager.${name}`), about]);
  return `### certManager\n\n${markdownTable(["key", "meaning"], rows)}`;
}

const SPIRE_SERVER = `### spireServer

\`spireServer.manage\` (flag, default \`false\`) and \`spireServer.takeOver\` (list of paths) say how the stack owns the SpireServer. The other
fields are those of its \`spec\`, as \`oc explain spireserver.spec --recursive\` shows them, and are checked by the CRD in the cluster: ZTWIM 1.1 has
more of them than 1.0. See [Own the whole SpireServer](spireserver.md).`;

const OUTPUTS = `## Outputs

What a stack exports. Nothing in it is secret.`;

const outputs = (): string => typeTable("ClusterOutputs", "stacks/cluster.ts");

const CONTRACT = `### The output \`federation\`

What the peers' stacks read through a StackReference.`;

const contract = (): string => typeTable("Contract", "stacks/publication.ts");

function typeTable(name: string, file: string): string {
  const rows = fieldsOf(file, name).map((field) => [code(`${field.name}${field.optional ? "?" : ""}`), field.about]);
  return markdownTable(["output", "meaning"], rows);
}
