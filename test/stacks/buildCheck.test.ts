import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkBuild, sources } from "../../stacks/buildCheck";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "build-check-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(file: string, text = ""): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

const FILES = ["build.mjs", "index.ts", "package-lock.json", "components/shared/names.ts", "mesh/cli/main.ts"];

const built = (): void => {
  for (const file of [...FILES, "stacks/buildCheck.ts"]) write(file);
  write("dist/built", sources(root));
};

it("finds nothing wrong with a build of these sources, whatever their times", () => {
  built();
  write("README.md");
  for (const file of FILES) utimesSync(join(root, file), 4_000_000_000, 4_000_000_000);
  expect(checkBuild(root)).toBeUndefined();
});

it.each([...FILES, "components/bundle/bundleFetch.ts"])(
  "names %s, changed after the build, and says what to do",
  (file) => {
    built();
    write(file, "edited");
    utimesSync(join(root, file), 1, 1);
    expect(checkBuild(root)).toBe(`${file}: changed after the program was built; run "npm run build"`);
  },
);

it("names a source that is gone since", () => {
  built();
  rmSync(join(root, "mesh/cli/main.ts"));
  expect(checkBuild(root)).toBe('mesh/cli/main.ts: changed after the program was built; run "npm run build"');
});

it("says that nothing was built, or not to the end", () => {
  built();
  rmSync(join(root, "dist/built"));
  expect(checkBuild(root)).toBe('dist: the program is not built; run "npm run build"');
});

it("asks nothing of a package from npm, which has no sources", () => {
  write("dist/index.js");
  expect(checkBuild(root)).toBeUndefined();
});
