/** The policy pack, with a real Pulumi, on a program of another team. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Done, done, environment } from "./tinyProject";

const ROOT = join(__dirname, "..", "..");
const PACK = ["--policy-pack", join(ROOT, "dist", "policy")];

jest.setTimeout(600_000);

/** Everything that it creates becomes a file; `faults` says whether it breaks rules. */
const PROGRAM = `
const { CustomResource } = require("@pulumi/kubernetes/apiextensions");
const kubernetes = require("@pulumi/kubernetes");
const pulumi = require("@pulumi/pulumi");
const { RandomInteger } = require("@pulumi/random");

const faults = new pulumi.Config("test").getBoolean("faults");
const namespace = "zero-trust-workload-identity-manager";
const provider = new kubernetes.Provider("cluster", { renderYamlToDirectory: __dirname + "/objects" });
const secrets = { apiGroups: [""], resources: ["secrets"], verbs: ["get"] };
const names = faults ? {} : { resourceNames: ["spire-server-federation-tls"] };
new kubernetes.rbac.v1.Role(
  "reader",
  { metadata: { name: "secret-reader", namespace }, rules: [{ ...secrets, ...names }] },
  { provider },
);

const trust = (name, trustDomain, bundleEndpointURL) =>
  new CustomResource(
    name,
    {
      apiVersion: "spire.spiffe.io/v1alpha1",
      kind: "ClusterFederatedTrustDomain",
      metadata: { name },
      spec: { trustDomain, bundleEndpointURL, className: namespace + "-spire" },
    },
    { provider },
  );
// Not known in a preview: the rest is judged nevertheless.
const { result } = new RandomInteger("later", { min: 1, max: 2 });
trust("one", "apps.cluster2.example.com", pulumi.interpolate\`https://federation.apps.cluster2.example.com/\${result}\`);
trust("two", faults ? "apps.cluster2.example.com" : "apps.cluster3.example.com", "https://federation.apps.cluster3.example.com");
`;

let dir: string;
let env: NodeJS.ProcessEnv;

// It has no package.json, as a program in another language has none.
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "policy-"));
  await mkdir(join(dir, "state"));
  env = { ...(await environment(dir)), PULUMI_BACKEND_URL: `file://${join(dir, "state")}` };
  const runtime = { name: "nodejs", options: { typescript: false } };
  await writeFile(join(dir, "Pulumi.yaml"), stringify({ name: "spire-federation", main: "index.js", runtime }));
  await writeFile(join(dir, "index.js"), PROGRAM);
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  await configure(true);
  expect(await pulumi("stack", "init", "cluster1")).toMatchObject({ code: 0 });
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const configure = (faults: boolean): Promise<void> => {
  const config = { "spire-federation:trustDomain": "apps.cluster1.example.com", "test:faults": faults };
  return writeFile(join(dir, "Pulumi.cluster1.yaml"), stringify({ config }));
};

const start = (command: string, args: readonly string[]): Promise<Done> =>
  done(spawn(command, args, { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] }));
const pulumi = (...args: string[]): Promise<Done> =>
  start(join(ROOT, "node_modules", ".bin", "pulumi"), [...args, "--non-interactive"]);
const command = (...args: string[]): Promise<Done> =>
  start(process.execPath, [join(ROOT, "dist", "mesh", "cli", "start.js"), ...args, ...PACK]);

const ROLE =
  "rules[0].resourceNames: is empty, which grants all Secrets of the namespace; name spire-server-federation-tls";

test("a program that breaks rules fails its preview, with the field and the cure", async () => {
  const preview = await command("preview");
  expect(preview).toMatchObject({ code: 1 });
  expect(preview.out).toContain("Role reader: policy role-names-one-secret:");
  expect(preview.out).toContain(ROLE);
  expect(preview.out).toMatch(/ClusterFederatedTrustDomain (one|two): policy one-peer-per-trust-domain:/);
});

test("the same program without the faults passes", async () => {
  await configure(false);
  const preview = await pulumi("preview", "--stack", "cluster1", ...PACK);
  expect(preview).toMatchObject({ code: 0 });
  expect(preview.out).toContain("spire-federation@v0.2.0-dev");
});
