import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkBuild } from "../../stacks/buildCheck";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "build-check-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Writes a file as if it had been changed at a time, in seconds. */
function write(file: string, seconds: number): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), "");
  utimesSync(join(root, file), seconds, seconds);
}

const checkout = (): void => {
  for (const file of [
    "build.mjs",
    "index.ts",
    "package-lock.json",
    "components/shared/names.ts",
    "mesh/cli/main.ts",
    "stacks/buildCheck.ts",
  ])
    write(file, 1000);
};

it("finds nothing wrong with a build of these sources", () => {
  checkout();
  write("dist/built", 1001);
  write("README.md", 1002);
  expect(checkBuild(root)).toBeUndefined();
});

it.each(["index.ts", "mesh/cli/main.ts", "components/bundle/bundleFetch.ts", "build.mjs", "package-lock.json"])(
  "names %s, changed after the build, and says what to do",
  (file) => {
    checkout();
    write("dist/built", 1001);
    write(file, 1002);
    expect(checkBuild(root)).toBe(`${file}: changed after the program was built; run "npm run build"`);
  },
);

it("says that nothing was built, or not to the end", () => {
  checkout();
  write("dist/index.js", 1001);
  expect(checkBuild(root)).toBe('dist: the program is not built; run "npm run build"');
});

it("asks nothing of a package from npm, which has no sources", () => {
  write("dist/index.js", 1000);
  expect(checkBuild(root)).toBeUndefined();
});
