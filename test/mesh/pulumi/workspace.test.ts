import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { openProject, publishedIn } from "../../../mesh/pulumi/workspace";
import { FakePulumi } from "./fakePulumi";

describe("a project in whose network nobody reaches get.pulumi.com", () => {
  const pulumi = new FakePulumi("echo v3.276.0");
  const dir = mkdtempSync(join(tmpdir(), "project-"));
  const { PATH } = process.env;

  beforeAll(() => {
    const lib = join(dir, "node_modules", "pulumi", "lib");
    mkdirSync(lib, { recursive: true });
    writeFileSync(join(lib, "resolve.js"), 'exports.resolve = () => Promise.reject(new Error("fetch failed"));');
    writeFileSync(join(dir, "Pulumi.yaml"), "name: spire-federation\nruntime: nodejs\n");
  });

  afterEach(() => {
    process.env["PATH"] = PATH;
  });

  afterAll(() => {
    pulumi.close();
    rmSync(dir, { recursive: true });
  });

  test("has the Pulumi CLI of the PATH", async () => {
    process.env["PATH"] = `${pulumi.dir}:${String(PATH)}`;
    const { pulumiCommand } = await openProject(dir);
    expect(pulumiCommand.version?.version).toBe("3.276.0");
    expect(pulumi.lines("runs")).toEqual([expect.stringMatching(/ version$/)]);
  });

  test("has it also behind npx, which puts npm's own pulumi before it on the PATH", async () => {
    const bin = join(dir, "node_modules", ".bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "pulumi"), "#!/bin/sh\necho fetch failed >&2\nexit 1\n", { mode: 0o755 });
    process.env["PATH"] = [bin, pulumi.dir, PATH].join(delimiter);
    const { pulumiCommand } = await openProject(dir);
    expect(pulumiCommand.version?.version).toBe("3.276.0");
    // What is run later finds the same one.
    expect(process.env["PATH"].split(delimiter)[0]).toBe(pulumi.dir);
  });

  test("is told when that one is too old", async () => {
    const old = new FakePulumi("echo v3.100.0");
    process.env["PATH"] = `${old.dir}:${String(PATH)}`;
    await expect(openProject(dir)).rejects.toThrow(/is Pulumi 3\.100\.0; 3\.248 or later is needed/);
    old.close();
  });

  test("is told what to do when there is none", async () => {
    process.env["PATH"] = dir;
    await expect(openProject(dir)).rejects.toThrow(
      /^no Pulumi CLI is on the PATH, .*: fetch failed\. Install it .*get\.pulumi\.com$/,
    );
  });
});

describe("outputs", () => {
  const peer = { trustDomain: "one.example.com", fingerprints: [] };

  test("that an up went past are nothing", () => {
    const unknown = runtime.unknownValue as never;
    const nothing = { pendingPeers: [], peers: {} };
    expect(publishedIn({ federation: unknown, pendingPeers: unknown, peers: unknown })).toEqual(nothing);
    expect(publishedIn({ peers: { one: { ...peer, fingerprints: unknown }, two: unknown } })).toEqual(nothing);
  });

  test.each<[string, object]>([
    ["a peer without a trust domain", { peers: { one: { ...peer, trustDomain: undefined } } }],
    ["a peer whose fingerprints are no list", { peers: { one: { ...peer, fingerprints: "a" } } }],
    ["pending peers that are no list", { pendingPeers: "one" }],
  ])("that no release writes are no answer: %s", (_, outputs) => {
    expect(() => publishedIn(outputs)).toThrow(/^the output (peers|pendingPeers) /);
  });
});
