/** Where the backend is by its URL, and what Pulumi Cloud answers, by a script in Pulumi's place. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { pulumi } from "../../../mesh/pulumi/cli";
import { organizationsOf } from "../../../mesh/pulumi/organization";
import { PulumiError } from "../../../mesh/pulumi/runPulumi";

let dir: string;
let workspace: Workspace;
const before = process.env["PULUMI_BACKEND_URL"];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "organization-"));
  workspace = { workDir: dir, pulumiCommand: { command: join(dir, "pulumi") } } as Partial<Workspace> as Workspace;
  delete process.env["PULUMI_BACKEND_URL"];
});

afterEach(async () => {
  if (before !== undefined) process.env["PULUMI_BACKEND_URL"] = before;
  await rm(dir, { recursive: true });
});

/** What Pulumi prints for the first two words of a command line; any other command fails. */
async function pulumiSays(answers: Record<string, string>): Promise<void> {
  const cases = Object.entries(answers).map(([words, out]) => `"${words}") cat <<'END'\n${out}\nEND\n;;`);
  const script = ["#!/bin/sh", `echo "$@" >> ${dir}/asked`, 'case "$1 $2" in', ...cases];
  const rest = '*) echo "error: not logged in" >&2; exit 1;;\nesac\n';
  await writeFile(join(dir, "pulumi"), [...script, rest].join("\n"), { mode: 0o755 });
}

test.each(["file:///state", "s3://bucket?region=eu-1", "gs://bucket", "azblob://container", "postgres://host/db"])(
  "%s has one organization, and is not asked",
  async (url) => {
    await pulumiSays({});
    const found = await organizationsOf(workspace, { name: "p", backend: { url } });
    expect([found.several, found.home, found.having("a")]).toEqual([false, "organization", []]);
  },
);

test("the environment says where the backend is before the project does", async () => {
  process.env["PULUMI_BACKEND_URL"] = "s3://bucket";
  await pulumiSays({});
  const found = await organizationsOf(workspace, { name: "p", backend: { url: "https://api.pulumi.com" } });
  expect(found.home).toBe("organization");
});

test("where Pulumi is logged in to a folder, it says so", async () => {
  await pulumiSays({ "whoami --json": '{ "user": "jo", "url": "file://~" }' });
  expect(await organizationsOf(workspace, { name: "p" })).toMatchObject({ several: false, home: "organization" });
});

test("on Pulumi Cloud the default organization is home, and each stack says its own", async () => {
  await pulumiSays({
    "whoami --json": '{ "user": "jo", "organizations": ["jo", "acme"], "url": "https://app.pulumi.com/jo" }',
    "org get-default": "acme",
    "stack ls": '[{ "name": "acme/p/a", "current": false }, { "name": "beta/p/a" }, { "name": "beta/other/b" }]',
  });
  const found = await organizationsOf(workspace, { name: "p" });
  expect([found.several, found.home, found.having("a"), found.having("b")]).toEqual([
    true,
    "acme",
    ["acme", "beta"],
    [],
  ]);
  expect(await readFile(join(dir, "asked"), "utf8")).toContain("stack ls --json --fully-qualify-stack-names");
});

test("a Pulumi that does not answer is ended, and what it has said so far is told", async () => {
  await writeFile(join(dir, "pulumi"), "#!/bin/sh\necho 'error: retrying' >&2\nexec sleep 600\n", { mode: 0o755 });
  const answer = pulumi(workspace, ["config", "--json"], { quietMs: 500 });
  await expect(answer).rejects.toThrow("pulumi config wrote nothing for 0.5 s and was stopped. retrying");
  await expect(answer).rejects.toThrow(PulumiError);
});

test("who is not logged in learns what Pulumi says", async () => {
  await pulumiSays({});
  await expect(organizationsOf(workspace, { name: "p" })).rejects.toThrow(PulumiError);
  await expect(organizationsOf(workspace, { name: "p" })).rejects.toThrow("not logged in");
});
