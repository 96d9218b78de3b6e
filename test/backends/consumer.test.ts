/** Programs of others, with a real Pulumi, on a machine that has no cluster and no kubeconfig. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXAMPLES, makeConsumers } from "../package/consumer";
import { ROOT } from "../package/install";
import { type Done, done, environment } from "./tinyProject";

jest.setTimeout(600_000);

const PULUMI = join(ROOT, "node_modules", ".bin", "pulumi");
const CONFIG = {
  context: "cluster1",
  trustDomain: "apps.cluster1.example.com",
  peer: "cluster2",
  peerTrustDomain: "apps.cluster2.example.com",
};
let dir: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "consumer-"));
  await mkdir(join(dir, "state"));
  env = {
    ...(await environment(dir)),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    HOME: dir,
    KUBECONFIG: undefined,
  };
  await makeConsumers(dir);
});
afterAll(() => rm(dir, { recursive: true }));

test.each(EXAMPLES)(
  "a program in %s is previewed without a cluster, and all that depends on the member",
  async (example) => {
    const cwd = join(dir, example);
    const pulumi = async (...args: string[]): Promise<Done> => {
      const result = await done(spawn(PULUMI, [...args, "--non-interactive"], { cwd, env }));
      if (result.code !== 0) throw new Error(result.out + result.err);
      return result;
    };
    await pulumi("stack", "init", `nowhere-${example}`); // the two projects have one name
    for (const [key, value] of Object.entries(CONFIG)) await pulumi("config", "set", key, value);
    const { out } = await pulumi("preview", "--json");
    const { steps } = JSON.parse(out) as { steps: { op: string; urn: string }[] };
    const created = steps.flatMap(({ op, urn }) => (op === "create" ? [urn.split("::").at(-1)] : []));
    expect(created).toEqual(expect.arrayContaining(["federation", "federation-spire-server-server", "after"]));
  },
);
