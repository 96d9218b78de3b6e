/** plugin/schema.json is what other languages see of the components. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { pluginSchema } from "../../docs/generate/pluginSchema";
import { CERT_MANAGER_DEFAULTS } from "../../components/certManagerInstall";
import { blocksOf } from "../docs/pages";

const committed = readFileSync(join(__dirname, "..", "..", "plugin", "schema.json"), "utf8");

interface Property {
  $ref?: string;
  type?: string;
  description?: string;
}
interface Declared {
  description?: string;
  inputProperties: Record<string, Property>;
  requiredInputs: string[];
  properties: Record<string, Property>;
}
const { resources, types } = JSON.parse(committed) as {
  resources: Record<string, Declared>;
  types: Record<string, { properties?: Record<string, Property>; required?: string[]; enum?: { value: string }[] }>;
};
const token = (name: string): string => `spire-federation:index:${name}`;

test("it is what `npm run plugin-schema` makes of the components", async () => {
  expect(committed).toBe(await pluginSchema());
});

test.each([
  ["CertManagerInstall", [], []],
  ["FederatedTrustDomain", ["peer"], ["fingerprints", "roots", "trustDomain"]],
  ["FederationCertificate", ["host", "issuer"], ["caCertificates", "secretName"]],
  ["PeerCas", ["peers"], []],
  ["RouterSecretAccess", [], ["roleName"]],
  [
    "SpireFederationServer",
    ["host", "trustDomain"],
    ["bundleEndpointUrl", "caCertificates", "endpointSpiffeId", "roots"],
  ],
  [
    "SpireFederation",
    ["trustDomain"],
    ["bundleEndpointUrl", "caCertificates", "endpointSpiffeId", "peers", "roots", "secretName"],
  ],
])("%s has its required inputs and its outputs", (name, required, outputs) => {
  const declared = resources[token(name)];
  expect(declared?.requiredInputs).toEqual(required);
  expect(Object.keys(declared?.properties ?? {}).sort()).toEqual(outputs);
  expect(declared?.inputProperties).toMatchObject({ context: { type: "string" }, kubeconfig: { type: "string" } });
});

test("there are no others", () => {
  expect(Object.keys(resources)).toHaveLength(7);
});

test("every component, input and output says what it is", () => {
  const silent = Object.entries(resources).flatMap(([of, { description, inputProperties, properties }]) => [
    ...(description === undefined ? [of] : []),
    ...Object.entries({ ...properties, ...inputProperties }).flatMap(([key, property]) =>
      property.description === undefined ? [`${of}.${key}`] : [],
    ),
  ]);
  expect(silent).toEqual([]);
});

test("defaults come with the doc comments", () => {
  expect(resources[token("CertManagerInstall")]?.inputProperties["channel"]?.description).toContain(
    `Default \`${CERT_MANAGER_DEFAULTS.channel}\``,
  );
});

test("an issuer is one type with the values that it takes", () => {
  expect(types[token("Issuer")]?.required).toEqual(["type"]);
  expect(types[token("IssuerType")]?.enum?.map(({ value }) => value)).toEqual(["acme", "ca", "existing"]);
});

test("every type that is referred to is there, and every type is referred to", () => {
  const referred = [...committed.matchAll(/"#\/types\/([^"]+)"/g)].map(([, name]) => name);
  expect([...new Set(referred)].sort()).toEqual(Object.keys(types).sort());
});

/** Programs in YAML that users copy. */
const PROGRAMS: [string, string][] = [
  ["examples/yaml", readFileSync(join(__dirname, "..", "..", "examples", "yaml", "Pulumi.yaml"), "utf8")],
  ...blocksOf("docs/languages.md")
    .filter(({ tag }) => tag === "yaml")
    .map(({ text }): [string, string] => ["docs/languages.md", text]),
];

test.each(PROGRAMS)("the program in %s gives components what they take", (_, text) => {
  const program = parse(text) as { resources: Record<string, { type: string; properties: object }> };
  expect(PROGRAMS).toHaveLength(2);
  for (const { type, properties } of Object.values(program.resources)) {
    const { inputProperties = {}, requiredInputs = [] } = resources[token(type.split(":").at(-1) ?? "")] ?? {};
    expect(Object.keys(inputProperties)).toEqual(expect.arrayContaining(Object.keys(properties)));
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(requiredInputs));
  }
});
