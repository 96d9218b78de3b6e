/** The component for GitLab CI: held against GitLab's schema, and the scripts of its jobs run as a runner runs them. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { type Done, done, run } from "./tinyProject";
import { ACCESS, Checkout, recordDownloads, tool, Vault } from "./pipelines";

const ROOT = join(__dirname, "..", "..");
const COMPONENT = "templates/spire-federation.yml";

jest.setTimeout(600_000);

let checkout: Checkout;
let folder: string;

// A repository with a pipeline that includes the component, as examples/gitlab does from elsewhere.
beforeAll(async () => {
  checkout = await Checkout.make();
  folder = checkout.project.project;
  await cp(join(ROOT, COMPONENT), join(folder, COMPONENT));
  const inputs = {
    backend: checkout.env["PULUMI_BACKEND_URL"],
    kubeconfig: checkout.printKubeconfig,
    "policy-pack": join(ROOT, "dist", "policy"),
    ...Object.fromEntries(["read", "verify", "write"].map((role) => [`aws-${role}-role`, `role-to-${role}`])),
  };
  await include(inputs);
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["remote", "add", "origin", "https://gitlab.example.com/example/mesh.git"],
    ["add", ".gitlab-ci.yml", COMPONENT],
    ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=first"],
  ]) {
    await run("git", args, { cwd: folder });
  }
  jobs = await previewed();
});

afterAll(() => checkout.close());

const include = (inputs: object): Promise<void> =>
  writeFile(join(folder, ".gitlab-ci.yml"), stringify({ include: [{ local: COMPONENT, inputs }] }));

/** What gitlab-ci-local makes of the pipeline; it refuses what GitLab's schema refuses. */
function gitlab(variables: Record<string, string>, ...args: string[]): Promise<Done> {
  const all = { CI_DEFAULT_BRANCH: "main", CI_COMMIT_BRANCH: "main", ...variables };
  const flags = Object.entries(all).flatMap(([name, value]) => ["--variable", `${name}=${value}`]);
  const quiet = ["--ignore-predefined-vars", Object.keys(all).join(",")];
  return done(spawn(tool("gitlab"), [...args, ...flags, ...quiet], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] }));
}

interface Job {
  variables: Record<string, string>;
  before_script: string[];
  script: string[];
  resource_group?: string;
  needs?: object[];
  artifacts: { paths: string[]; when: string };
}

const previewed = async (): Promise<Record<string, Job>> =>
  parse((await gitlab({}, "--preview")).out) as Record<string, Job>;

/** The jobs with all inputs filled in. */
let jobs: Record<string, Job>;

function jobOf(name: string): Job {
  const job = jobs[name];
  if (job === undefined) throw new Error(`there is no job ${name}`);
  return job;
}

/** Values as a job gets them: GitLab puts the values of others into them, nothing for those that it does not know, and $ for $$. */
function expanded(variables: Record<string, string>, known: Record<string, string>): Record<string, string> {
  const all: Record<string, string> = { ...variables, ...known };
  const put = (found: string, bare?: string, braced?: string): string =>
    found === "$$" ? "$" : (all[bare ?? braced ?? ""] ?? "");
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replaceAll(/\$\$|\$(\w+)|\$\{(\w+)\}/g, put)]),
  );
}

/** Runs its scripts in one shell, which ends with the first command that fails. */
function runJob({ variables, before_script, script }: Job, given: Record<string, string> = {}): Promise<Done> {
  const known = {
    ...checkout.env,
    CI_PROJECT_DIR: folder,
    CI_JOB_ID: "7",
    CI_API_V4_URL: `${checkout.api.url}/api/v4`,
    CI_PROJECT_ID: "5",
    CI_MERGE_REQUEST_IID: "12",
    CI_COMMIT_SHA: "0f1e2d3c",
    IDENTITY_TOKEN: "token-of-the-job",
  };
  const env = { ...known, ...expanded(variables, known), ...given };
  const text = [...before_script, ...script].join("\n");
  return done(spawn("bash", ["-ec", text], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] }));
}

const result = (file: string): Promise<string> => checkout.result(file, join(folder, "results"));

test.each([
  ["merge_request_event", {}, ["spire-federation preview"]],
  ["push", {}, ["spire-federation preview", "spire-federation up", "spire-federation verify"]],
  ["push", { CI_COMMIT_BRANCH: "feature" }, []],
  ["schedule", {}, ["spire-federation nightly"]],
])("GitLab's schema accepts the component; the jobs of a %s with %j are %j", async (source, variables, expected) => {
  const { code, out, err } = await gitlab({ CI_PIPELINE_SOURCE: source, ...variables }, "--list-csv");
  expect([code, err]).toEqual([0, expect.stringContaining("json schema validated")]);
  const [, ...rows] = out.trim().split("\n");
  expect(rows.map((row) => row.split(";")[0])).toEqual(expected);
});

test("a push to the default branch runs up, one at a time", async () => {
  const job = jobOf("spire-federation up");
  expect(job.resource_group).toBe("spire-federation");
  expect((await runJob(jobOf("spire-federation preview"), { CI_MERGE_REQUEST_IID: "" })).code).toBe(3);
  const { code, out } = await runJob(job);
  expect([code, out]).toEqual([0, expect.stringMatching(/^cluster1 +complete/m)]);
  expect(await checkout.npm()).toBe("npm ci\nnpm run build --if-present\n".repeat(2));
});

test("a merge request gets the preview as a link, and as a comment where the project has a token for it", async () => {
  const job = jobOf("spire-federation preview");
  await checkout.project.write("cluster2", "apps.cluster2.example.com");
  const { code } = await runJob(job);
  expect([code, job.artifacts.paths, checkout.api.requests]).toEqual([
    3,
    ["results/preview.txt", "results/plan.json"],
    [],
  ]);
  expect(await result("preview.txt")).toContain("known only after up has created stack cluster2");

  const comment = job.script.filter((lines) => lines.includes("COMMENT_TOKEN"));
  const again = { ...job, before_script: [`results=${folder}/results`], script: comment };
  await runJob(again, { COMMENT_TOKEN: "token-of-the-project" });
  await runJob(again, { COMMENT_TOKEN: "token-of-the-project" });
  const notes = "/api/v4/projects/5/merge_requests/12/notes";
  expect(checkout.api.requests).toEqual([
    "GET /api/v4/user token-of-the-project",
    `GET ${notes}?per_page=100 token-of-the-project`,
    `POST ${notes} token-of-the-project`,
    "GET /api/v4/user token-of-the-project",
    `GET ${notes}?per_page=100 token-of-the-project`,
    `PUT ${notes}/7 token-of-the-project`,
  ]);
  const shown = (await result("preview.txt")).trim();
  expect(checkout.api.comments.at(-1)?.body).toBe(
    `## spire-federation preview of 0f1e2d3c\n\n\`\`\`\`\n${shown}\n\`\`\`\`\n`,
  );
});

test("the nightly job fails where a cluster does not answer, and keeps all that was found", async () => {
  const job = jobOf("spire-federation nightly");
  const { code } = await runJob(job);
  expect([code, job.artifacts.when]).toEqual([3, "always"]);
  for (const path of job.artifacts.paths) expect(await checkout.result(path, folder)).toContain("cluster1");
});

test.each(ACCESS)("the job %s has the role and the kubeconfig to %s", async (name, access) => {
  const job = jobOf(`spire-federation ${name}`);
  expect(job.variables).toMatchObject({ ACCESS: access, AWS_ROLE_ARN: `role-to-${access}` });
  const { out } = await runJob({ ...job, script: ['cat "$KUBECONFIG"'] });
  expect(JSON.parse(out)).toMatchObject({ preferences: { access } });
});

test.each([
  ["role-to-read", "token-of-the-job"],
  ["", ""], // a token without a role would keep AWS' libraries from the runner's own identity
])("with the role %j AWS' libraries find the token %j", async (role, token) => {
  const job = { ...jobOf("spire-federation preview"), script: ['cat "${AWS_WEB_IDENTITY_TOKEN_FILE:-/dev/null}"'] };
  expect((await runJob(job, { AWS_ROLE_ARN: role })).out).toBe(token);
});

test("after the up, verify runs as somebody else, until all is well", () => {
  const { needs, script } = jobOf("spire-federation verify");
  expect(needs).toMatchObject([{ job: "spire-federation up" }]);
  expect(script).toEqual(["npx spire-federation verify --timeout 10m"]);
});

test("what has another checksum than the project's is not unpacked, and the job ends", async () => {
  const home = join(checkout.project.dir, "home");
  const recorded = await recordDownloads(checkout.project.dir);
  const job = { ...jobOf("spire-federation up"), script: ['echo "$PULUMI_VERSION"'] };
  await writeFile(join(folder, "pulumi.sha256"), recorded);
  expect(await runJob(job, { PULUMI_HOME: home })).toMatchObject({ code: 0, out: "9.8.7\n" });
  for (const file of ["versions/9.8.7/bin/pulumi", "plugins/resource-command-v1.2.3/pulumi-resource-command"])
    expect([file, await readFile(join(home, file), "utf8")]).toEqual([file, "a program\n"]);

  await rm(home, { recursive: true });
  await writeFile(
    join(folder, "pulumi.sha256"),
    recorded.replaceAll(/^./gm, (digit) => (digit === "0" ? "1" : "0")),
  );
  expect(await runJob(job, { PULUMI_HOME: home })).toMatchObject({
    code: 1,
    out: expect.stringContaining("FAILED") as string,
  });
  expect(existsSync(home)).toBe(false);
  await rm(join(folder, "pulumi.sha256"));
});

test("the example without AWS gets its keys, passphrase and kubeconfig from Vault", async () => {
  const vault = await new Vault().start();
  const example = parse(await readFile(join(ROOT, "examples/gitlab/vault.gitlab-ci.yml"), "utf8")) as {
    include: { inputs: Record<string, string> }[];
  };
  const texts = Object.entries(example.include[0]?.inputs ?? {}).map(([name, text]) => [name, vault.at(text)]);
  await include(Object.fromEntries(texts) as object);
  const up = (await previewed())["spire-federation up"] ?? jobOf("spire-federation up");
  const script = ['printf "%s|" "$AWS_SECRET_ACCESS_KEY" "$PULUMI_CONFIG_PASSPHRASE"; cat "$KUBECONFIG"'];
  const done = await runJob({ ...up, script });
  await vault.close();
  expect(done).toMatchObject({ code: 0, out: "key==|a b|a kubeconfig\n" });
  expect(vault.requests[0]).toBe('POST /v1/auth/jwt/login {"role":"spire-federation-write","jwt":"token-of-the-job"}');
});
