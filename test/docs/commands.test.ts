/** What the pages tell people to type. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scripts } from "../../package.json";
import { readCommandLine } from "../../mesh/cli/arguments";
import { COMMANDS } from "../../mesh/cli/commandList";
import { blocksOf, PAGES, read, ROOT } from "./pages";

const blocks = PAGES.flatMap(blocksOf);
const shell = blocks.filter(({ tag }) => /^(sh|bash|shell|console)\b/.test(tag));

test("every shell block says whether the lab runs it", () => {
  const untagged = shell.filter(({ tag }) => !/^sh (lab|cluster)$/.test(tag));
  expect(untagged.map(({ page, line, tag }) => `${page}:${String(line)}: ${tag}`)).toEqual([]);
});

test("a block without a tag holds no commands", () => {
  const commands = blocks.filter(({ tag, text }) => tag === "" && /^\s*(npx|npm|oc|make|git) /m.test(text));
  expect(commands.map(({ page, line }) => `${page}:${String(line)}`)).toEqual([]);
});

const written = PAGES.flatMap((page) =>
  [...read(page).matchAll(/npx spire-federation ([^`#\n|>]+)/g)].map(([, words = ""]) => words.trim()),
).filter((words) => words !== "" && !/[[<]/.test(words));

test.each([...new Set(written)])("npx spire-federation %s is understood", (words) => {
  // A sentence may name a command without what it needs.
  if (COMMANDS.some(({ name }) => name === words)) return;
  expect(() => readCommandLine(COMMANDS, words.split(/\s+/), { asks: true, redraws: true })).not.toThrow();
});

test("npm's scripts and make's targets that pages name are there", () => {
  const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
  const targets = [...makefile.matchAll(/^([a-z-]+):/gm)].map(([, target]) => target);
  const missing = PAGES.flatMap((page) => [
    ...[...read(page).matchAll(/npm run ([a-z:-]+)/g)].flatMap(([said, name = ""]) =>
      name in scripts ? [] : [`${page}: ${said}`],
    ),
    ...[...read(page).matchAll(/(?:`|^)make ([a-z-]+)/gm)].flatMap(([said, name]) =>
      targets.includes(name) ? [] : [`${page}: ${said}`],
    ),
  ]);
  expect(missing).toEqual([]);
});

test("files that commands name are there", () => {
  const named = shell.flatMap(({ page, text }) =>
    [...text.matchAll(/(?:^| )((?:docs|test|lab)\/[\w./-]+)/gm)].map(([, file = ""]) => ({ page, file })),
  );
  expect(named.filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
});
