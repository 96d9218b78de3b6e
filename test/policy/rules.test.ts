import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RULES } from "../../policy/rules";
import { read, ROOT } from "../docs/pages";

const versionOf = (file: string): string =>
  (JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { version: string }).version;

test("docs/policy.md has every rule, in their order", () => {
  const rows = [...read("docs/policy.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(RULES.map(({ name }) => name));
});

test("the pack has the package's version", () => {
  expect(versionOf("policy/package.json")).toBe(versionOf("package.json"));
});
