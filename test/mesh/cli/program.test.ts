/** The name of the program: one, and a package of nobody else. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "../../../components/shared/names";
import { bin, name } from "../../../package.json";

const ROOT = join(__dirname, "..", "..", "..");

test("npx finds the program by the name of the package, and by no other", () => {
  expect(Object.keys(bin)).toEqual([PROGRAM]);
  expect(PROGRAM).toBe(name);
});

test("no file tells anybody to run a stranger's package", () => {
  const files = execFileSync("git", ["ls-files", "-z", "*.ts", "*.md", "*.yaml", "*.js", "Makefile"], { cwd: ROOT })
    .toString()
    .split("\0")
    .filter((file) => file !== "" && !__filename.endsWith(file) && file !== "components/shared/names.ts");
  const told = /npx mesh|\bmesh (?:up|preview|drift|verify|report|status) [a-z-]*(?:stack|cluster)/;
  expect(files.filter((file) => told.test(readFileSync(join(ROOT, file), "utf8")))).toEqual([]);
});
