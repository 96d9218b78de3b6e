/** The tarball of `npm run package`, as others install and import it. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { satisfies } from "semver";
import * as ts from "typescript";
import { blocksOf } from "../docs/pages";
import { installPackage, manifest, ROOT } from "./install";

const { bin } = manifest;

interface Versions {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/** What somebody has in their own project. */
const PROGRAM = `
  import * as spire from "spire-federation";
  import { connect } from "spire-federation/connect";
  import * as kubernetes from "@pulumi/kubernetes";
  const provider = new kubernetes.Provider("cluster1");
  const args: spire.RouterSecretAccessArgs = { secretName: "tls" };
  export const role = () => new spire.RouterSecretAccess("router", args, { provider }).roleName;
  export const reader = () => connect({ context: "cluster1" });
`;

let project: string;
let installed: string;
let files: string[];
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "package-"));
  ({ folder: installed, files } = installPackage(project));
  writeFileSync(join(project, "program.ts"), PROGRAM);
  const [example] = blocksOf("docs/package.md").filter(({ tag }) => tag === "ts");
  if (example === undefined) throw new Error("docs/package.md has no example");
  writeFileSync(join(project, "example.ts"), example.text);
}, 300_000);
afterAll(() => {
  rmSync(project, { recursive: true });
});

const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("it has what runs and what it reads, and neither sources nor tests", () => {
  expect(files).toEqual(
    expect.arrayContaining([
      "README.md",
      "dist/components/index.d.ts",
      "dist/mesh/report/page.css",
      "dist/mesh/verify/probe/workload/main.js",
      "dist/mesh/cli/schema.json",
      "dist/plugin/PulumiPlugin.yaml",
      "dist/plugin/package.json",
      "dist/plugin/schema.json",
      "dist/policy/PulumiPolicy.yaml",
      "dist/policy/package.json",
      "docs/checks.md", // what help refers to
      "docs/rbac/auditor.yaml",
      "Pulumi.yaml",
    ]),
  );
  const ours =
    /^(dist\/|docs\/([^/]+\.md$|network\/|rbac\/)|package\.json$|Pulumi\.yaml$|README\.md$|LICENSE$|CHANGELOG\.md$)/;
  expect(files.filter((file) => !ours.test(file) || /[^d]\.ts$/.test(file))).toEqual([]);
});

test.each([["require('spire-federation')"], ["await import('spire-federation')"]])(
  "%s gives the components",
  (load) => {
    const script = `const all = ${load}; console.log(typeof all.RouterSecretAccess, typeof all.SpireFederationServer)`;
    expect(node(`--input-type=${load.startsWith("await") ? "module" : "commonjs"}`, "--eval", script)).toBe(
      "function function\n",
    );
  },
);

test("nothing else than its exports can be imported", () => {
  expect(() => node("--eval", "require('spire-federation/dist/components/cluster/connect.js')")).toThrow(
    "ERR_PACKAGE_PATH_NOT_EXPORTED",
  );
});

test("every file that it names is there", () => {
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { exports: object };
  const named = JSON.stringify([exports, bin]).match(/(?:\.\/)?dist\/[^"]+/g) ?? [];
  expect(named.filter((file) => !existsSync(join(installed, file)))).toEqual([]);
});

test("its command runs", () => {
  expect(node(join(installed, bin["spire-federation"] ?? ""), "explain", "MESH212")).toMatch(/^MESH212 {2}\S/);
});

test("a provider that refuses to create what is there already is refused, and the one before is not", () => {
  const { "@pulumi/kubernetes": range = "" } = manifest.peerDependencies;
  expect(["4.25.0", "4.28.9", "4.29.0", "4.34.2"].map((version) => satisfies(version, range))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("examples/typescript has the versions that are tested here", () => {
  const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Versions;
  const { dependencies, devDependencies } = read("examples/typescript/package.json");
  expect(read("package.json").devDependencies).toMatchObject({ ...dependencies, ...devDependencies });
});

test("a program, the example of docs/package.md and examples/typescript type-check", () => {
  const options = { noEmit: true, strict: true, skipLibCheck: true, types: [], target: "ES2022", module: "Node16" };
  copyFileSync(join(ROOT, "examples", "typescript", "index.ts"), join(project, "other.ts"));
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, files: ["program.ts", "example.ts", "other.ts"] }),
  );
  const { stdout } = spawnSync(join(ROOT, "node_modules", ".bin", "tsc"), { cwd: project, encoding: "utf8" });
  expect(stdout).toBe("");
}, 300_000);

test.each(["Node10", "Node16", "NodeNext", "Bundler"] as const)("types are found with module resolution %s", (name) => {
  const options = { moduleResolution: ts.ModuleResolutionKind[name] };
  const find = (module: string): string | undefined =>
    ts.resolveModuleName(module, join(project, "program.ts"), options, ts.sys).resolvedModule?.resolvedFileName;
  const types = ["spire-federation", "spire-federation/connect", "spire-federation/program"].map(find);
  const folder = realpathSync(installed);
  expect(types).toEqual(
    ["components/index", "components/cluster/connect", "index"].map((file) => join(folder, "dist", `${file}.d.ts`)),
  );
});
