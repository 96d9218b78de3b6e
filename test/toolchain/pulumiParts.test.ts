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
  unit pulumi toolchain/pulumi toolchain/language-nodejs -- pulumi_cli 3.259.0
  unit pulumi-resource-command plugins plugins -- pulumi_plugin command 1.2.1 standin_plugin
}
`;
const cli = "pulumi/versions/3.259.0/bin/pulumi";
const host = "pulumi/versions/3.259.0/bin/pulumi-language-nodejs";
const plugin = "pulumi/plugins/resource-command-v1.2.1/pulumi-resource-command";

let bench: Bench;
beforeEach(() => (bench = new Bench(recipes)));
afterEach(() => {
  bench.close();
});

/** What each part is, by its content; the bench's `go` builds "built". */
function parts(folder: string): string[] {
  return [cli, host, plugin].map((path) => readFileSync(join(folder, path), "utf8").trim());
}

describe("with nothing to download from", () => {
  test("all is built", async () => {
    const { stdout, stderr } = await bench.run();
    expect(parts(stdout)).toEqual(["built", "built", "built"]);
    expect(stderr).toContain("stand-in");
  });

  test("the user's own installation is copied, where it has exactly the version", async () => {
    bench.program("own/versions/3.259.0/bin/pulumi", "echo v3.259.0");
    bench.program("own/versions/3.259.0/bin/pulumi-language-nodejs", "own host");
    bench.program("own/plugins/resource-command-v1.2.0/pulumi-resource-command", "older");
    const { stdout } = await bench.run({ PULUMI_HOME: join(bench.root, "own") });
    expect(parts(stdout)).toEqual(["#!/bin/bash\necho v3.259.0", "#!/bin/bash\nown host", "built"]);
  });

  test("another version on PATH is passed over, and so is npm's wrapper", async () => {
    bench.program("older/pulumi", "echo v3.258.0");
    bench.program("older/pulumi-language-nodejs", "older");
    bench.program("npm/pulumi", `touch ${bench.root}/wrapper-ran; echo v3.259.0`);
    for (const folder of ["older", "npm"]) {
      const path = `${join(bench.root, folder)}:${join(bench.root, "bin")}:${process.env["PATH"] ?? ""}`;
      bench.file("lab/plugins/go.mod", `module ${folder}`); // a new key, so that it is looked for again
      bench.file("lab/toolchain/pulumi/go.mod", `module ${folder}`);
      expect(parts((await bench.run({ PATH: path })).stdout)).toEqual(["built", "built", "built"]);
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

describe("with Pulumi's releases in reach", () => {
  let server: Server;
  let files: Record<string, Buffer>;
  const asked: string[] = [];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    bench.file("release/pulumi/pulumi", "official cli");
    bench.file("release/pulumi/pulumi-language-nodejs", "official host");
    bench.file("release/pulumi-resource-command", "official plugin");
    const archive = tar("pulumi");
    const sums = `${createHash("sha256").update(archive).digest("hex")}  pulumi-v3.259.0-linux-x64.tar.gz\n`;
    files = {
      "/sdk/pulumi-v3.259.0-linux-x64.tar.gz": archive,
      "/sdk/pulumi-3.259.0-checksums.txt": Buffer.from(sums),
      "/plugins/pulumi-resource-command-v1.2.1-linux-amd64.tar.gz": tar("pulumi-resource-command"),
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
  const releases = (): NodeJS.ProcessEnv => ({
    PULUMI_RELEASES: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const tar = (what: string): Buffer => execFileSync("tar", ["-cz", "-C", join(bench.root, "release"), what]);

  test("they are downloaded", async () => {
    const { stdout, stderr } = await bench.run(releases());
    expect(parts(stdout)).toEqual(["official cli", "official host", "official plugin"]);
    expect(stderr).not.toContain("stand-in");
  });

  test("an archive that is not the published one ends the build", async () => {
    files["/sdk/pulumi-3.259.0-checksums.txt"] = Buffer.from(`${"0".repeat(64)}  pulumi-v3.259.0-linux-x64.tar.gz\n`);
    const { code, stderr } = await bench.run(releases());
    expect(code).toBe(1);
    expect(stderr).toContain("SHA-256");
    expect(bench.stored()).toEqual([]);
  });

  test("a server that takes the call and says nothing is asked once and given up", async () => {
    server.removeAllListeners("request").on("request", (request) => asked.push(request.url ?? ""));
    const { stdout } = await bench.run(releases());
    expect(parts(stdout)).toEqual(["built", "built", "built"]);
    expect(asked).toHaveLength(1);
  });
});
