/** The reusable workflow for GitHub Actions: its shell steps run as a runner runs them. `make test` lints it. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type Done, done } from "./tinyProject";
import { ACCESS, Checkout, recordDownloads, Vault } from "./pipelines";

const ROOT = join(__dirname, "..", "..");
const WORKFLOW = ".github/workflows/spire-federation.yml";

jest.setTimeout(600_000);

interface Step {
  name?: string;
  id?: string;
  if?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, string>;
}

interface Workflow {
  env: Record<string, string>;
  jobs: Record<string, { env: Record<string, string>; steps: Step[]; permissions: object; concurrency?: object }>;
}

const { env, jobs } = parse(readFileSync(join(ROOT, WORKFLOW), "utf8")) as Workflow;

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
});

afterAll(() => checkout.close());

/** What stands for an expression here. */
function valueOf(expression: string): string {
  const values: Record<string, string | undefined> = {
    "inputs.backend": checkout.env["PULUMI_BACKEND_URL"],
    "inputs.policy-pack": join(ROOT, "dist", "policy"),
    "inputs.kubeconfig": checkout.printKubeconfig,
    "inputs.variables": "",
    "github.token": "token-of-the-job",
    "github.event.pull_request.number": "12",
  };
  const value = values[expression];
  if (value === undefined) throw new Error(`no value for ${expression}`);
  return value;
}

const filled = (variables: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, text]) => [
      name,
      text.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => valueOf(expression)),
    ]),
  );

/** Runs the shell steps of a job; after one that failed only those that ask to. Gives what each step came to. */
async function run(
  name: string,
  only = /./,
  given: Record<string, string | undefined> = {},
): Promise<Record<string, Done>> {
  const job = jobs[name];
  if (job === undefined) throw new Error(`there is no job ${name}`);
  const file = join(checkout.results, "env");
  await writeFile(file, "");
  const outcomes: Record<string, Done> = {};
  for (const step of job.steps) {
    if (step.run === undefined || step.name === undefined || !only.test(step.name)) continue;
    const failed = Object.values(outcomes).some(({ code }) => code !== 0);
    if (failed && step.if?.includes("!cancelled()") !== true) continue;
    const added = (await readFile(file, "utf8"))
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [[line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]]));
    const variables = {
      ...checkout.env,
      RUNNER_TEMP: checkout.results,
      GITHUB_ENV: file,
      GITHUB_API_URL: checkout.api.url,
      GITHUB_REPOSITORY: "example/mesh",
      GITHUB_SHA: "0f1e2d3c",
      ...(Object.fromEntries(added) as Record<string, string>),
      ...filled({ ...env, ...job.env, ...step.env }),
      ...given,
    };
    outcomes[step.name] = await done(
      spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run], {
        cwd: checkout.project.project,
        env: variables,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }
  return outcomes;
}

const codes = (outcomes: Record<string, Done>): [string, number | null][] =>
  Object.entries(outcomes).map(([name, { code }]) => [name, code]);

test("a merge runs the plan of its own preview, one at a time", async () => {
  expect(jobs["up"]).toMatchObject({
    concurrency: { group: "spire-federation-up", "cancel-in-progress": false },
    permissions: { contents: "read", "id-token": "write" },
  });
  expect(jobs["up"]).toMatchObject({ needs: "preview" });
  expect(codes(await run("preview", /Access|Preview/)).at(-1)).toEqual(["Preview", 3]);
  const outcomes = await run("up", /Access|Up/);
  expect(codes(outcomes)).toEqual([
    ["Access to the clusters", 0],
    ["Up", 0],
  ]);
  expect(JSON.parse(await checkout.result("kubeconfig"))).toMatchObject({ preferences: { access: "write" } });
  expect(outcomes["Up"]?.out).toMatch(/^cluster1 +complete/m);
  // Its stack was created meanwhile.
  expect(codes(await run("up", /Up/))).toEqual([["Up", 2]]);
});

test("a pull request gets the preview as a comment, trust first", async () => {
  await checkout.project.write("cluster2", "apps.cluster2.example.com");
  await checkout.project.write("cluster1", "apps.cluster1.example.com", "cluster2");
  const outcomes = await run("preview");
  expect(codes(outcomes)).toEqual([
    ["Install", 0],
    ["Pulumi", 0],
    ["Variables", 0],
    ["Access to the clusters", 0],
    ["Preview", 3],
    ["Comment on the pull request", 0],
  ]);
  expect(await checkout.npm()).toBe("npm ci\nnpm run build --if-present\n");
  expect(JSON.parse(await checkout.result("kubeconfig"))).toMatchObject({ preferences: { access: "read" } });
  expect(checkout.api.requests).toEqual([
    "GET /repos/example/mesh/issues/12/comments?per_page=100 Bearer token-of-the-job",
    "POST /repos/example/mesh/issues/12/comments Bearer token-of-the-job",
  ]);
  const body = checkout.api.comments.at(-1)?.body ?? "";
  const shown = await checkout.result("preview.txt");
  expect(body).toBe(`## spire-federation preview of 0f1e2d3c\n\n\`\`\`\`\n${shown.trim()}\n\`\`\`\`\n`);
  expect(body).toContain(
    "+ cluster1 will trust apps.cluster2.example.com (cluster2); its keys are not known before its endpoint answers",
  );
  expect(body).toContain("more changes are known only after up has created stack cluster2");
});

test("the next run of a pull request replaces its comment", async () => {
  await appendFile(join(checkout.results, "preview.txt"), "the second one\n`````\n# a heading\n");
  checkout.api.requests.length = 0;
  expect(codes(await run("preview", /Comment/))).toEqual([["Comment on the pull request", 0]]);
  expect(checkout.api.requests.at(-1)).toBe("PATCH /repos/example/mesh/issues/comments/7 Bearer token-of-the-job");
  expect(checkout.api.comments.map(({ id }) => id)).toEqual([6, 7]);
  expect(checkout.api.comments.at(-1)?.body).toMatch(
    /^[^`]*\n``````\n[^]*the second one\n`````\n# a heading\n``````\n$/,
  );
});

test("the nightly job fails where a cluster does not answer, and keeps all that was found", async () => {
  expect(codes(await run("nightly", /Access|Drift|Verify|Report/))).toEqual([
    ["Access to the clusters", 0],
    ["Drift", 3],
    ["Verify", 3],
    ["Report", 3],
  ]);
  expect(await checkout.result("drift.txt")).toContain("cluster1");
  expect(await checkout.result("verify.txt")).toContain("MESH101");
  expect(await checkout.result("report.html")).toContain("MESH101");
});

test.each(ACCESS)("the job %s has the role and the kubeconfig to %s", async (name, access) => {
  expect(codes(await run(name, /Access/))).toEqual([["Access to the clusters", 0]]);
  expect(JSON.parse(await checkout.result("kubeconfig"))).toMatchObject({ preferences: { access } });
  const roles = jobs[name]?.steps.flatMap(({ with: given }) => given?.["role-to-assume"] ?? []);
  expect(roles).toEqual([`\${{ inputs.aws-${access}-role }}`]);
});

test("after the up, verify runs as somebody else, until all is well", () => {
  expect(jobs["verify"]).toMatchObject({ needs: "up" });
  expect(jobs["verify"]?.steps.at(-1)?.run).toBe("npx spire-federation verify --timeout 10m");
});

test("what has another checksum than the project's is not unpacked, and the job ends before it has any credential", async () => {
  const home = join(checkout.project.dir, "home");
  const given = { PULUMI_HOME: home, PULUMI_VERSION: undefined };
  const recorded = await recordDownloads(checkout.project.dir);
  await writeFile(join(checkout.project.project, "pulumi.sha256"), recorded);
  expect(codes(await run("up", /Pulumi/, given))).toEqual([["Pulumi", 0]]);
  expect(await checkout.result("env")).toBe(
    `PULUMI_VERSION=9.8.7\nPULUMI_HOME=${home}\nPULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true\n`,
  );
  for (const file of ["versions/9.8.7/bin/pulumi", "plugins/resource-command-v1.2.3/pulumi-resource-command"])
    expect([file, await readFile(join(home, file), "utf8")]).toEqual([file, "a program\n"]);

  await rm(home, { recursive: true });
  await writeFile(
    join(checkout.project.project, "pulumi.sha256"),
    recorded.replaceAll(/^./gm, (digit) => (digit === "0" ? "1" : "0")),
  );
  expect(codes(await run("up", /Pulumi|Variables|Access/, given))).toEqual([["Pulumi", 1]]);
  expect(existsSync(home)).toBe(false);
  await rm(join(checkout.project.project, "pulumi.sha256"));
});

test("the example without AWS gets its keys, passphrase and kubeconfig from Vault, and no log shows them", async () => {
  const vault = await new Vault().start();
  const { variables, kubeconfig } = (
    parse(readFileSync(join(ROOT, "examples/github/vault.yml"), "utf8")) as {
      jobs: Record<string, { with: Record<"variables" | "kubeconfig", string> }>;
    }
  ).jobs["spire-federation"]?.with ?? { variables: "", kubeconfig: "" };
  const outcomes = await run("up", /Variables|Access/, {
    PRINT_VARIABLES: vault.at(variables),
    PRINT_KUBECONFIG: vault.at(kubeconfig),
    ACTIONS_ID_TOKEN_REQUEST_URL: `${vault.url}/token?api-version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-runner",
  });
  await vault.close();
  expect(codes(outcomes)).toEqual([
    ["Variables", 0],
    ["Access to the clusters", 0],
  ]);
  expect(vault.requests).toEqual([
    "GET /token?api-version=2&audience=vault",
    'POST /v1/auth/jwt/login {"role":"spire-federation-write","jwt":"of-the-job"}',
    "GET /v1/secret/data/spire-federation/write of-vault",
    "GET /v1/secret/data/spire-federation/write of-vault",
  ]);
  const lines = [
    "AWS_ACCESS_KEY_ID=id",
    "AWS_SECRET_ACCESS_KEY=key==",
    "PULUMI_CONFIG_PASSPHRASE=a b",
    "VAULT_TOKEN=of-vault",
  ];
  expect(await checkout.result("env")).toMatch(new RegExp(`^${lines.join("\n")}\nKUBECONFIG=`));
  expect(outcomes["Variables"]?.out).toBe("::add-mask::id\n::add-mask::key==\n::add-mask::a b\n::add-mask::of-vault\n");
  expect(await checkout.result("kubeconfig")).toBe("a kubeconfig\n");
});
