import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { COMMANDS } from "../../../mesh/cli/commandList";
import { candidates, scriptOf } from "../../../mesh/cli/completion";

const PROGRAM = join(__dirname, "..", "..", "..", "dist", "mesh", "cli", "start.js");

let project: string;
const before = process.cwd();
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "completion-"));
  for (const stack of ["cluster1", "cluster2"]) writeFileSync(join(project, `Pulumi.${stack}.yaml`), "");
  process.chdir(project);
});
afterAll(() => {
  process.chdir(before);
  rmSync(project, { recursive: true });
});

test.each<[string[], string[]]>([
  [["ver"], ["verify", "version"]],
  [["--v"], ["--version"]],
  [["--cw"], ["--cwd"]],
  [
    ["-C", "x", "ver"],
    ["verify", "version"],
  ],
  [["--quiet", "help", "st"], ["status"]],
  [["-q", "status", "--log"], ["--log-dir"]],
  [["-C", "no/such/folder", "status", "c"], []],
  [["status", "cluster1", "--parallel", "2", "c"], ["cluster2"]],
  [["help", "st"], ["status"]],
  [
    ["status", ""],
    ["cluster1", "cluster2"],
  ],
  [["status", "cluster1", "c"], ["cluster2"]],
  [["verify", "--peer", "cluster2"], ["cluster2"]],
  [["verify", "--check", "MESH212"], ["MESH212"]],
  [
    ["verify", "-o", ""],
    ["text", "wide", "html", "junit", "prometheus", "json", "yaml"],
  ],
  [["verify", "--timeout", ""], []],
  [["explain", "MESH101"], ["MESH101"]],
  [["up", "--y"], ["--yes"]],
  [["status", "--y"], []],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["nothing", ""], []],
])("after %j come %j", async (words, found) => {
  expect(await candidates(COMMANDS, words)).toEqual(found);
});

test("stacks are those of the folder that -C says", async () => {
  const other = mkdtempSync(join(tmpdir(), "completion-"));
  writeFileSync(join(other, "Pulumi.cluster9.yaml"), "");
  for (const way of [["-C", other], ["--cwd", other], [`--cwd=${other}`]]) {
    expect(await candidates(COMMANDS, [...way, "status", "c"])).toEqual(["cluster9"]);
    expect(await candidates(COMMANDS, ["verify", ...way, "--peer", "c"])).toEqual(["cluster9"]);
  }
  rmSync(other, { recursive: true });
});

test("bash asks the program itself", () => {
  const dir = mkdtempSync(join(tmpdir(), "completion-"));
  try {
    writeFileSync(join(dir, "Pulumi.cluster7.yaml"), "");
    writeFileSync(join(dir, "spire-federation"), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
    chmodSync(join(dir, "spire-federation"), 0o755);
    const asked = `COMP_WORDS=(spire-federation status clu); COMP_CWORD=2; _spire_federation; echo "\${COMPREPLY[*]}"`;
    const { stdout } = spawnSync("bash", ["-c", `${scriptOf("bash")}${asked}`], {
      cwd: dir,
      encoding: "utf8",
      env: { ...process.env, PATH: [dir, process.env["PATH"]].join(delimiter) },
    });
    expect(stdout).toBe("cluster7\n");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

const hasFish = spawnSync("fish", ["--version"]).status === 0;

(hasFish ? test : test.skip)("fish asks the program, and offers files only where a flag takes one", () => {
  const dir = mkdtempSync(join(tmpdir(), "completion-"));
  try {
    for (const file of ["Pulumi.cluster7.yaml", "clutter"]) writeFileSync(join(dir, file), "");
    writeFileSync(join(dir, "spire-federation"), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
    chmodSync(join(dir, "spire-federation"), 0o755);
    const complete = (line: string): string =>
      spawnSync("fish", ["-c", `${scriptOf("fish")}complete -C "spire-federation ${line}"`], {
        cwd: dir,
        encoding: "utf8",
        env: { ...process.env, HOME: dir, PATH: [dir, process.env["PATH"]].join(delimiter) },
      }).stdout;
    expect([complete("status clu"), complete("status --log-dir clu")]).toEqual(["cluster7\n", "clutter\n"]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("zsh completes at the first key, from a folder of fpath as well as sourced", () => {
  const script = scriptOf("zsh");
  expect(script).toMatch(/^#compdef spire-federation$/m);
  expect(script).toContain('[[ "${funcstack[1]}" == "_spire-federation" ]]; then _spire-federation; else compdef');
});
