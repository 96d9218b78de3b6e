/** The reusable workflow for GitHub Actions: its shell steps run as a runner runs them. `make test` lints it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type Done, done } from "./tinyProject";
import { ACCESS, Checkout } from "./pipelines";

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
async function run(name: string, only = /./): Promise<Record<string, Done>> {
  const job = jobs[name];
  if (job === undefined) throw new Error(`there is no job ${name}`);
  const file = join(checkout.results, "env");
  await writeFile(file, "");
  const outcomes: Record<string, Done> = {};
  for (const step of job.steps) {
    if (step.run === undefined || step.name === undefined || !only.test(step.name)) continue;
    const failed = Object.values(outcomes).some(({ code }) => code !== 0);
    if (failed && step.if?.includes("!cancelled()") !== true) continue;
    const added = (await readFile(file, "utf8")).split("\n").flatMap((line) => (line === "" ? [] : [line.split("=")]));
    const variables = {
      ...checkout.env,
      RUNNER_TEMP: checkout.results,
      GITHUB_ENV: file,
      GITHUB_API_URL: checkout.api.url,
      GITHUB_REPOSITORY: "example/mesh",
      GITHUB_SHA: "0f1e2d3c",
      ...(Object.fromEntries(added) as Record<string, string>),
      ...filled({ ...env, ...job.env, ...step.env }),
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
