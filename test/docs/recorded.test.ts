/** What docs/ci.md has people type to record the checksums of Pulumi's programs, run as it stands there. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dependencies, devDependencies } from "../../package.json";
import { blocksOf, ROOT } from "./pages";

const HOST = "https://get.pulumi.com";
const VERSIONS = { ...dependencies, ...devDependencies };
const block = blocksOf("docs/ci.md").find(({ text }) => text.includes(">pulumi.sha256"))?.text ?? "";

/** Answers each path with itself, and 404 to one of them. */
const downloads = createServer(({ url = "" }, response) => {
  response.statusCode = url === missing ? 404 : 200;
  response.end(url);
});
let missing = "";
let dir: string;
let host: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "recorded-"));
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  await new Promise<void>((done) => downloads.listen(0, "127.0.0.1", done));
  host = `http://127.0.0.1:${String((downloads.address() as AddressInfo).port)}`;
});

afterAll(async () => {
  downloads.close();
  await rm(dir, { recursive: true });
});

async function recorded(): Promise<string[][]> {
  await promisify(execFile)("bash", ["-c", block.replaceAll(HOST, host)], { cwd: dir }).catch(() => undefined);
  const lines = (await readFile(join(dir, "pulumi.sha256"), "utf8")).trimEnd().split("\n");
  return lines.map((line) => line.split("  "));
}

test("the CLI and each plugin of this project are recorded, each with its own sum", async () => {
  const paths = [
    `/releases/sdk/pulumi-v${VERSIONS.pulumi}-linux-x64.tar.gz`,
    ...(["kubernetes", "command", "random"] as const).map(
      (name) => `/releases/plugins/pulumi-resource-${name}-v${VERSIONS[`@pulumi/${name}`]}-linux-amd64.tar.gz`,
    ),
  ];
  const sum = (path: string): string => createHash("sha256").update(path).digest("hex");
  expect(await recorded()).toEqual(paths.map((path) => [sum(path), host + path]));
});

test("what cannot be downloaded is not recorded", async () => {
  missing = `/releases/plugins/pulumi-resource-command-v${VERSIONS["@pulumi/command"]}-linux-amd64.tar.gz`;
  expect((await recorded()).map(([, url]) => url)).not.toContain(host + missing);
});
