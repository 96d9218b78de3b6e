/** Ctrl-C in the first seconds, when the members' config is still read. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FakePulumi } from "../pulumi/fakePulumi";

const PROGRAM = join(__dirname, "..", "..", "..", "dist", "mesh", "cli", "start.js");

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

let pulumi: FakePulumi;
beforeEach(() => {
  // It ends on SIGINT, as Pulumi does, a moment later.
  pulumi = new FakePulumi(`
    [ "$1" = version ] && { echo v3.276.0; exit; }
    trap 'kill $!; echo stopped >>"$(dirname "$0")/stopped"; exit 1' INT
    sleep 60 & wait
  `);
  writeFileSync(pulumi.file("Pulumi.yaml"), "name: spire-federation\nruntime: nodejs\n");
  writeFileSync(pulumi.file("Pulumi.a.yaml"), "config:\n  spire-federation:trustDomain: a.example.com\n");
  mkdirSync(pulumi.file("state"));
});
afterEach(() => {
  pulumi.close();
});

test.each([["status"], ["verify"]])(
  "%s says so as a document, and leaves no Pulumi behind",
  async (command) => {
    const child = spawn(process.execPath, [PROGRAM, command, "-o", "json"], {
      cwd: pulumi.dir,
      env: {
        ...process.env,
        PATH: `${pulumi.dir}:${String(process.env["PATH"])}`,
        PULUMI_BACKEND_URL: "file://./state",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [said, noted] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (noted += text));
    const ended = once(child, "close");
    const config = (): string | undefined => pulumi.lines("runs").find((line) => line.includes(" config "));
    while (config() === undefined) await sleep(50);
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(JSON.parse(said)).toMatchObject({ command, exit: 130, errors: ["interrupted; nothing was changed"] });
    expect(noted).toContain("interrupted; nothing was changed");
    expect(pulumi.lines("stopped")).toEqual(["stopped"]);
    expect(isThere(Number(config()?.split(" ")[0]))).toBe(false);
  },
  30_000,
);
