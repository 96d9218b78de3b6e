import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { configOf, refusalsOf } from "./fixtures";

const text = (file: string): string => readFileSync(join(__dirname, "..", "..", file), "utf8");

/** The keys of Pulumi.yaml with their defaults, as text; required keys have none. */
const { config } = parse(text("Pulumi.yaml")) as {
  config: Record<string, { default?: string | number | boolean | object }>;
};
const declared = Object.fromEntries(
  Object.entries(config)
    .filter(([key]) => !key.includes(":"))
    .map(([key, { default: value }]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : value === undefined ? undefined : String(value),
    ]),
);

it("declares every key of the config, and no other", () => {
  const [refusal = ""] = refusalsOf({ zzzzzzzz: 1 });
  expect(refusal).toBe(`zzzzzzzz: unknown key; known keys: ${Object.keys(declared).sort().join(", ")}`);
});

it("requires what has no default, and otherwise has the program's own", () => {
  const { trustDomain, ...defaults } = declared;
  expect(trustDomain).toBeUndefined();
  expect(Object.values(defaults)).not.toContain(undefined);
  expect(configOf(defaults)).toEqual(configOf({ context: "" }));
});

it.each(["cluster1", "cluster2"])("the committed stack %s is the documented one, and names the other", (stack) => {
  const other = stack === "cluster1" ? "cluster2" : "cluster1";
  expect(text(`Pulumi.${stack}.yaml`).replaceAll("spire-federation:", "")).toBe(
    [
      "config:",
      `  context: ${stack}`,
      `  trustDomain: apps.${stack}.example.com`,
      "  peers:",
      `    - ${other}`,
      "  issuer:",
      "    type: acme",
      "",
    ].join("\n"),
  );
});

it("starts the program, and not the library that package.json exports", () => {
  const { main } = parse(text("Pulumi.yaml")) as { main: string };
  const { main: library } = JSON.parse(text("package.json")) as { main: string };
  expect(main).not.toBe(library);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as Pulumi loads it
  expect(typeof require(join(__dirname, "..", "..", main))).toBe("function");
});
