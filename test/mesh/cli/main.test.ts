/** The program as somebody starts it: what is on which stream, and the exit code. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv, type AnySchema } from "ajv";

const CLI = join(__dirname, "..", "..", "..", "dist", "mesh", "cli");
const PROGRAM = join(CLI, "start.js");
const matches = new Ajv().compile(JSON.parse(readFileSync(join(CLI, "schema.json"), "utf8")) as AnySchema);

let empty: string;
beforeAll(() => {
  empty = mkdtempSync(join(tmpdir(), "no-project-"));
});
afterAll(() => {
  rmSync(empty, { recursive: true });
});

const start = (...argv: string[]) =>
  spawnSync(process.execPath, [PROGRAM, ...argv], { cwd: empty, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("a wrong flag is refused on stderr, with the command's name and what was meant", () => {
  expect(start("verify", "--wiat")).toMatchObject({
    status: 2,
    stdout: "",
    stderr:
      "spire-federation verify: unknown option '--wiat'; did you mean --wait?\n" +
      'Run "npx spire-federation help verify" for its flags.\n',
  });
});

test.each([
  [["up", "--nothing", "-o", "json"], 2, "up"],
  [["upp", "-o", "json"], 2, undefined],
  [["status", "-o", "json", "--cwd", "no/such/folder"], 2, "status"],
])("JSON also when it fails: %j", (argv, exit, command) => {
  const { status, stdout } = start(...argv);
  const document = JSON.parse(stdout) as { errors: string[]; command?: string };
  expect(document).toMatchObject({ schema: 1, exit, errors: [expect.any(String)] });
  expect(document.command).toBe(command);
  expect(status).toBe(exit);
  expect(matches(document)).toBe(true);
});

test("an error has no password in it, as text and as JSON", () => {
  const { stdout, stderr } = start("status", "-o", "json", "--cwd", "password=geheim");
  for (const said of [stdout, stderr]) expect(said).toContain("password=(not shown)");
  expect(stdout + stderr).not.toContain("geheim");
});

test("the version, for people and for programs", () => {
  expect(start("version").stdout).toMatch(/^spire-federation \d+\.\d+\.\d+\S*, Node \d+\./);
  const document = JSON.parse(start("version", "-o", "json").stdout) as object;
  expect(document).toMatchObject({ command: "version", exit: 0, node: process.versions.node });
  expect(matches(document)).toBe(true);
  expect(start("version", "-o", "yaml").stdout).toMatch(/^command: version\nschema: 1\nexit: 0\n/);
});

test.each([
  [["--help"]],
  [["help", "verify"]],
  [["version"]],
  [["completion", "bash"]],
  [["__complete", "verify", "c"]],
])("%j loads neither Pulumi's SDK nor a client of Kubernetes", (argv) => {
  const shown = `process.on("exit", () => process.stderr.write(Object.keys(require.cache).join("\\n")))`;
  const file = join(empty, "loaded.js");
  writeFileSync(file, shown);
  const { stderr } = spawnSync(process.execPath, ["--require", file, PROGRAM, ...argv], {
    cwd: empty,
    encoding: "utf8",
  });
  const loaded = stderr.split("\n");
  expect(loaded.some((one) => one.endsWith("arguments.js"))).toBe(true);
  expect(loaded.filter((one) => /@pulumi|kubernetesClient|node_modules\/(?!commander)/.test(one))).toEqual([]);
});

test("a check is explained without any project", () => {
  const { status, stdout } = start("explain", "mesh212");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^MESH212 {2}\S/);
  expect(start("explain", "MESH999").status).toBe(2);
});

test("help is the result, and so on stdout", () => {
  const { status, stdout, stderr } = start("help", "up");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("Usage: npx spire-federation up [stack...] [flags]\n");
});

test.each([["up"], ["remove", "cluster1"], ["adopt", "cluster1"], ["rotate", "cluster1"], ["revoke", "cluster1"]])(
  "%s without a terminal is refused before anything is read",
  (...argv) => {
    const { status, stdout, stderr } = start(...argv);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      `spire-federation ${argv[0]}: stdin or stderr is not a terminal; pass --yes to proceed without confirmation\n`,
    );
  },
);
