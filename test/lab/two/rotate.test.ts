/**
 * `spire-federation rotate` and `revoke` on real SPIRE servers, with workloads that connect all the while.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState, type Project, type Run } from "../../../lab/client/project";
import { handshake, Workload } from "../../../lab/client/workload";
import { pairs } from "../../../lab/client/trust";
import type { RotatedMember } from "../../../mesh/rotate/rotated";
import { authoritiesBy } from "../../../mesh/spire/authorities";
import { inHandsOf, testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const server = authoritiesBy({ run: (...args) => cluster1.spireServer(...args) });
/** In the deployer's hands, and in the rotator's. */
let project: Project;
let rotating: Project;
let workloads: Workload[] = [];

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  // JWT-SVIDs are waited for, and so are X.509-SVIDs after an interruption between taint and revocation.
  await cluster1.merge({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { defaultJWTValidity: "1m", defaultX509Validity: "4m" },
  });
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(stdout + stderr);
  const members = [cluster1, cluster2];
  rotating = await inHandsOf("rotator", project, members);
  workloads = await Promise.all(
    members.map((one) =>
      Workload.deploy(
        one,
        "rotated",
        members.flatMap((other) => (other === one ? [] : other.trustDomain)),
      ),
    ),
  );
  for (const [from, to] of pairs(workloads)) await eventually(() => handshake(from, to));
});

afterAll(() => Promise.all(workloads.map((workload) => workload.remove())));

/** Connects both ways until something has ended. */
async function connecting<T>(during: Promise<T>): Promise<{ result: T; refused: string[]; tried: number }> {
  const refused: string[] = [];
  let tried = 0;
  let going = true;
  const ended = during.finally(() => (going = false));
  const trying = pairs(workloads).map(async ([from, to]) => {
    while (going) {
      tried += 1;
      await handshake(from, to).catch((error: unknown) => refused.push(`${from.cluster.name}: ${String(error)}`));
    }
  });
  const [result] = await Promise.all([ended, ...trying]);
  return { result, refused, tried };
}

function keysOf({ code, stdout, stderr }: Run): RotatedMember["keys"] {
  const { members = [] } = JSON.parse(stdout) as { members?: RotatedMember[] };
  const keys = members.flatMap((one) => one.keys);
  if (keys.length === 0) throw new Error(`exit code ${String(code)}: ${stdout}${stderr}`);
  return keys;
}

const heldOf1 = async (): Promise<string[]> => {
  const held = (await authoritiesBy({ run: (...args) => cluster2.spireServer(...args) }).held()).get(
    cluster1.trustDomain,
  );
  return [...(held?.x509 ?? []), ...(held?.jwt ?? [])];
};

/** While the API server of cluster2 answers nobody. */
async function whileAway<T>(run: () => Promise<T>): Promise<T> {
  const pid = Number(await readFile(join(labState(), "cluster2", "kube-apiserver.pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  return run().finally(() => process.kill(pid, "SIGCONT"));
}

test("the X.509 authority is replaced, no connection is refused meanwhile, and nobody holds the old one", async () => {
  const old = (await server.slots("x509")).active?.id ?? "";
  const { result, refused, tried } = await connecting(
    rotating.mesh("rotate", "cluster1", "--keys", "x509", "--yes", "-o", "json"),
  );
  expect(keysOf(result)).toMatchObject([{ kind: "x509", from: old, state: "replaced" }]);
  expect(refused).toEqual([]);
  expect(tried).toBeGreaterThan(4);
  expect((await server.own()).x509.map(({ id }) => id)).not.toContain(old);
  expect(await heldOf1()).not.toContain(old);
});

test("a peer that cannot be asked keeps the new key from use, and the same command goes on later", async () => {
  const old = (await server.slots("x509")).active?.id ?? "";
  const run = ["revoke", "cluster1", "--key", old, "--yes", "-o", "json"];
  const lagging = await whileAway(() => rotating.mesh(...run, "--timeout", "1s"));
  expect(keysOf(lagging)).toMatchObject([{ kind: "x509", state: "waiting" }]);
  const { refused } = await connecting(
    eventually(async () => {
      const { state } = keysOf(await rotating.mesh(...run))[0] ?? {};
      expect(state).toBe("replaced");
    }, 300),
  );
  expect(refused).toEqual([]);
  expect(await heldOf1()).not.toContain(old);
});

describe.each([
  ["x509", "rotate"],
  ["jwt", "revoke"],
] as const)("killed at each step, what replaces the %s authority", (kind, command) => {
  let old: string;
  let run: string[];
  const own = async (): Promise<{ id: string; tainted: boolean }[]> => (await server.own())[kind];

  beforeAll(async () => {
    old = (await server.slots(kind)).active?.id ?? "";
    run = [command, "cluster1", ...(command === "rotate" ? ["--keys", kind] : ["--key", old]), "--yes"];
  });

  const killedOnce = async (reached: () => Promise<unknown>): Promise<void> => {
    const { pid = 0, ended } = rotating.startMesh(...run);
    let goes = true;
    const early = ended.then(({ stdout, stderr }) => {
      goes = false;
      throw new Error(`it has ended: ${stdout}${stderr}`);
    });
    const there = eventually(async () => {
      expect(await reached()).toBeTruthy();
    });
    await Promise.race([there, early]).finally(() => goes && process.kill(pid, "SIGKILL"));
    await expect(early).rejects.toThrow();
  };

  test("the new key is prepared", () => killedOnce(async () => (await server.slots(kind)).prepared));

  test("the peer holds the new key", async () => {
    const { prepared } = await server.slots(kind);
    await killedOnce(async () => (await heldOf1()).includes(prepared?.id ?? ""));
  });

  test("the new key is active, the old one tainted", async () => {
    // No run can be stopped between the two: what one that died there has left.
    await server.activate(kind, (await server.slots(kind)).prepared?.id ?? "");
    await killedOnce(async () => (await own()).find(({ id }) => id === old)?.tainted);
  });

  if (command === "revoke")
    test("a peer that cannot be asked keeps the tainted key", () =>
      whileAway(async () => {
        // Longer than JWT-SVIDs live.
        const lagging = await rotating.mesh(...run, "--timeout", "75s", "-o", "json");
        expect(keysOf(lagging)).toMatchObject([{ kind, from: old, state: "waiting" }]);
        expect((await own()).map(({ id }) => id)).toContain(old);
      }));

  test(`the same ${command} goes on, and nobody holds the old key`, async () => {
    const { result, refused } = await connecting(rotating.mesh(...run, "-o", "json"));
    expect(keysOf(result)).toMatchObject([{ kind, from: old, state: "replaced" }]);
    expect(refused).toEqual([]);
    expect(await heldOf1()).not.toContain(old);
  });
});

test("afterwards verify finds every pair healthy, and an up has nothing to do", async () => {
  const verify = await project.mesh("verify", "--wait");
  expect([verify.code, verify.stdout]).toEqual([0, expect.any(String)]);
  const preview = await project.mesh("preview", "--expect-no-changes");
  expect([preview.code, preview.code === 0 ? "" : preview.stdout]).toEqual([0, ""]);
});
