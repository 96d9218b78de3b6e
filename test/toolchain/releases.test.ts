import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { Bench } from "./harness";

const recipes = `
list_units() {
  unit kube-scheduler 1 . -- kubernetes_server kube-scheduler . v1.35.3 ""
  unit spire 1 toolchain/spire -- spire v1.14.5
  unit pulumi 1 toolchain/pulumi toolchain/language-nodejs toolchain/language-yaml -- pulumi_cli 3.276.0
  unit pulumi-resource-command 1 plugins plugins -- pulumi_plugin command 1.2.1 standin_plugin
}
`;
const cli = "pulumi/versions/3.276.0/bin";
const SERVERS = ["bin/kube-scheduler", "bin/spire-server", "bin/spire-agent"];
const PULUMI = [`${cli}/pulumi`, `${cli}/pulumi-language-nodejs`, `${cli}/pulumi-language-yaml`];
const PLUGIN = "pulumi/plugins/resource-command-v1.2.1/pulumi-resource-command";
const ALL = [...SERVERS, ...PULUMI, PLUGIN];

let bench: Bench;
beforeEach(() => (bench = new Bench(recipes)));
afterEach(() => {
  bench.close();
});

/** What each program is, by its content; the bench's `go` builds "built". */
function contents(folder: string, programs = ALL): string[] {
  return programs.map((path) => readFileSync(join(folder, path), "utf8").trim());
}
const built = ALL.map(() => "built");

describe("with nothing to download from", () => {
  test("all is built", async () => {
    const { stdout, stderr } = await bench.run();
    expect(contents(stdout)).toEqual(built);
    expect(stderr).toContain("stand-in");
  });

  test("Pulumi's parts are copied from the user's own installation, where it has exactly the version", async () => {
    for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-language-yaml"])
      bench.program(`own/versions/3.276.0/bin/${name}`, `echo v3.276.0 # ${name}`);
    bench.program("own/plugins/resource-command-v1.2.0/pulumi-resource-command", "older");
    const { stdout } = await bench.run({ PULUMI_HOME: join(bench.root, "own") });
    expect(contents(stdout, PULUMI)).toEqual(
      ["pulumi", "pulumi-language-nodejs", "pulumi-language-yaml"].map(
        (name) => `#!/bin/bash\necho v3.276.0 # ${name}`,
      ),
    );
    expect(contents(stdout, [PLUGIN])).toEqual(["built"]);
  });

  test("another version on PATH is passed over, and so is npm's wrapper", async () => {
    for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-language-yaml"])
      bench.program(`older/${name}`, "echo v3.275.0");
    bench.program("npm/pulumi", `touch ${bench.root}/wrapper-ran; echo v3.276.0`);
    for (const folder of ["older", "npm"]) {
      const path = `${join(bench.root, folder)}:${join(bench.root, "bin")}:${process.env["PATH"] ?? ""}`;
      bench.file("lab/toolchain/pulumi/go.mod", `module ${folder}`); // a new key, so that it is looked for again
      expect(contents((await bench.run({ PATH: path })).stdout)).toEqual(built);
    }
    expect(existsSync(join(bench.root, "wrapper-ran"))).toBe(false);
  });

  test("a PULUMI_HOME of this cache is not the user's: its stand-ins are made anew", async () => {
    const first = await bench.run();
    bench.file("lab/plugins/main.go", "package main // changed");
    const second = await bench.run({ PULUMI_HOME: join(first.stdout, "pulumi") });
    expect(second.stderr).not.toContain("copied from");
    expect(second.stdout).not.toBe(first.stdout);
  });
});

describe("with official releases in reach", () => {
  const SCHEDULER = "/dl.k8s.io/release/v1.35.3/bin/linux/amd64/kube-scheduler";
  const SPIRE = "/github.com/spiffe/spire/releases/download/v1.14.5/spire-1.14.5-linux-amd64-musl";
  const PULUMI_SDK = "/get.pulumi.com/releases/sdk/pulumi";
  const CLI_SUMS = `${PULUMI_SDK}-3.276.0-checksums.txt`;
  const COMMAND = "/get.pulumi.com/releases/plugins/pulumi-resource-command-v1.2.1-linux-amd64.tar.gz";

  let server: Server;
  let files: Record<string, Buffer>;
  const asked: string[] = [];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    for (const name of ["kube-scheduler", "pulumi-resource-command"]) bench.file(`release/${name}`, `official ${name}`);
    for (const name of ["spire-server", "spire-agent"])
      bench.file(`release/spire-1.14.5/bin/${name}`, `official ${name}`);
    for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-language-yaml", "pulumi-language-go"])
      bench.file(`release/pulumi/${name}`, `official ${name}`);
    const scheduler = Buffer.from("official kube-scheduler");
    const spire = tar("spire-1.14.5");
    const pulumi = tar("pulumi");
    files = {
      [SCHEDULER]: scheduler,
      [`${SCHEDULER}.sha256`]: Buffer.from(sha256(scheduler)),
      [`${SPIRE}.tar.gz`]: spire,
      [`${SPIRE}_sha256sum.txt`]: Buffer.from(`${sha256(spire)}  spire-1.14.5-linux-amd64-musl.tar.gz\n`),
      [`${PULUMI_SDK}-v3.276.0-linux-x64.tar.gz`]: pulumi,
      [CLI_SUMS]: Buffer.from(
        `${"1".repeat(64)}  pulumi-v3.276.0-linux-arm64.tar.gz\n${sha256(pulumi)}  pulumi-v3.276.0-linux-x64.tar.gz\n`,
      ),
      [COMMAND]: tar("pulumi-resource-command"),
    };
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      const file = files[request.url ?? ""];
      if (file) response.end(file);
      else response.writeHead(404).end();
    });
    server.on("connection", (socket) => sockets.add(socket));
    await listen();
  });
  afterEach(async () => {
    asked.length = 0;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const listen = (): Promise<void> => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const downloads = (): NodeJS.ProcessEnv => ({
    SPIRE_FEDERATION_DOWNLOADS: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  });
  const tar = (what: string): Buffer => execFileSync("tar", ["-cz", "-C", join(bench.root, "release"), what]);
  const sha256 = (file: Buffer): string => createHash("sha256").update(file).digest("hex");

  test("they are downloaded", async () => {
    const { stdout, stderr } = await bench.run(downloads());
    expect(contents(stdout)).toEqual(ALL.map((path) => `official ${path.replace(/.*\//, "")}`));
    expect(stderr).not.toContain("stand-in");
    expect(execFileSync("stat", ["-c", "%A", join(stdout, SERVERS[0] ?? "")], { encoding: "utf8" })).toContain("x");
  });

  test("none of them is asked for when SPIRE_FEDERATION_DOWNLOADS is none", async () => {
    expect(contents((await bench.run({ SPIRE_FEDERATION_DOWNLOADS: "none" })).stdout)).toEqual(built);
    for (const unit of ["kube-scheduler", "spire", "pulumi", "pulumi-resource-command"])
      expect(bench.read(`cache/log/${unit}.log`)).not.toContain("download");
  });

  test.each([
    ["Kubernetes'", `${SCHEDULER}.sha256`, "0".repeat(64), "kube-scheduler"],
    ["SPIRE's", `${SPIRE}_sha256sum.txt`, `${"0".repeat(64)}  spire-1.14.5-linux-amd64-musl.tar.gz\n`, "spire"],
    ["Pulumi's", CLI_SUMS, `${"0".repeat(64)}  pulumi-v3.276.0-linux-x64.tar.gz\n`, "pulumi"],
    ["a file that is not in its sums", CLI_SUMS, "", "pulumi"],
  ])("an archive that is not the published one ends the build: %s", async (_, sums, text, refused) => {
    files[sums] = Buffer.from(text);
    const { code, stderr } = await bench.run(downloads());
    expect(code).toBe(1);
    expect(stderr).toContain("SHA-256");
    expect(bench.stored()).not.toContain(refused);
  });

  test("what a server does not have is built, and the server is asked for the next one", async () => {
    files[`${PULUMI_SDK}-v3.276.0-linux-x64.tar.gz`] = undefined as never;
    const { stdout } = await bench.run(downloads());
    expect(contents(stdout, [...PULUMI, PLUGIN])).toEqual([
      "built",
      "built",
      "built",
      "official pulumi-resource-command",
    ]);
  });

  test("a server that takes the call and says nothing is asked once and given up", async () => {
    server.removeAllListeners("request").on("request", (request) => asked.push(request.url ?? ""));
    const { stdout } = await bench.run(downloads());
    expect(contents(stdout)).toEqual(built);
    expect(asked).toHaveLength(3);
  });
});
