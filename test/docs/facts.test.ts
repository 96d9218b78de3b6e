/** What the pages say exists: codes, keys, messages, outputs. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { GENERATED } from "../../docs/generate/main";
import { codes } from "../../mesh/verify/explain";
import { blocksOf, PAGES, read, ROOT } from "./pages";

test.each(Object.entries(GENERATED))("docs/%s is what `npm run docs` makes", (file, page) => {
  expect(read(`docs/${file}`)).toBe(page());
});

test("sample outputs are parts of the golden files that they name", () => {
  const outputs = PAGES.flatMap(blocksOf).flatMap(({ outputOf, text, page }) =>
    outputOf === undefined ? [] : [{ page, outputOf, text }],
  );
  expect(outputs.length).toBeGreaterThan(0);
  for (const { page, outputOf, text } of outputs)
    expect([page, read(outputOf)]).toEqual([page, expect.stringContaining(text)]);
});

test.each(PAGES)("codes and config keys in %s exist", (page) => {
  const { config } = parse(read("Pulumi.yaml")) as { config: Record<string, unknown> };
  const text = read(page);
  const unknownCodes = [...text.matchAll(/MESH\d{3}/g)].filter(([code]) => !codes().includes(code));
  const unknownKeys = [...text.matchAll(/spire-federation:([a-z]\w*)/g)].filter(([, key = ""]) => !(key in config));
  expect([...unknownCodes, ...unknownKeys].map(([said]) => said)).toEqual([]);
});

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|go|sh)$/.test(file) && !file.startsWith("docs/"))
    .map((file) => join(folder, file));

/** Everything that is said in the sources; literals that are joined by + are one text. */
const sources = ["components", "stacks", "mesh", "lab", "test"]
  .flatMap(files)
  .map((file) => read(file).replaceAll(/["'`] \+\s*["'`]/g, ""));

const isSaid = (message: string): boolean => sources.some((text) => text.includes(message));

test("findings that docs/drift.md names are those of the sources", () => {
  const named = [...read("docs/drift.md").matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].flatMap(([, code = ""]) => code);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((code) => !sources.some((text) => text.includes(`"${code}"`)))).toEqual([]);
});

describe("docs/troubleshooting.md", () => {
  /** Messages of others that our sources need not know. */
  const OTHERS: Readonly<Record<string, string>> = {
    // deleteBundle in pkg/server/datastore/sqlstore/sqlstore.go of SPIRE
    "cannot delete bundle; federated with": "SPIRE",
  };
  const entries = read("docs/troubleshooting.md")
    .split(/^### /m)
    .slice(1)
    .map((entry) => entry.split(/^## /m)[0] ?? "");

  test("has the common symptoms", () => {
    expect(entries.length).toBeGreaterThanOrEqual(10);
  });

  test.each(entries.map((entry) => [entry.split("\n")[0] ?? "", entry]))(
    "%s is a message, and its entry is complete",
    (title, entry) => {
      const [, message = ""] = /^`([^`]+)`$/.exec(title) ?? [];
      expect([title, message !== "" && (message in OTHERS || isSaid(message))]).toEqual([title, true]);
      const labels = [...entry.matchAll(/^- \*\*([^*]+)\*\*/gm)].map(([, label]) => label);
      expect(labels).toEqual(["You see", "Why", "Confirm", "Fix", "Costs", "Check", "Applies to", "Code"]);
    },
  );

  test("no two entries have one heading", () => {
    const titles = entries.map((entry) => entry.split("\n")[0]);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});
