import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { anchorsOf, linksOf, PAGES, read, ROOT } from "./pages";

test("README is read in a minute", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

test.each(PAGES)("every link of %s leads to a file and a heading that are there", (page) => {
  const broken = linksOf(page).filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchorsOf(file).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test("README leads to every page of docs/, in one step or two", () => {
  const targets = (page: string): string[] =>
    linksOf(page).map((target) => normalize(join(dirname(page), target.split("#")[0] ?? "")));
  const first = targets("README.md").filter((file) => PAGES.includes(file));
  const reached = new Set([...first, ...first.flatMap(targets)]);
  expect(PAGES.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
});

test("docs/README.md lists every page of docs/", () => {
  const listed = linksOf("docs/README.md").map((target) => normalize(join("docs", target)));
  const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
  expect(pages.filter((page) => !listed.includes(page))).toEqual([]);
});
