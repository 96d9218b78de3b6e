/** The command on a state in a folder: what kills, signals and interrupted operations leave, and what the next run makes of it. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isThere } from "../../mesh/pulumi/liveness";
import { type Done, done, TinyProject } from "./tinyProject";

const LOCKS = ["locks", "organization", "spire-federation"];
const NAME = "cluster1";
const ID = `organization/spire-federation/${NAME}`;

jest.setTimeout(600_000);

let project: TinyProject;

beforeAll(async () => {
  project = await TinyProject.inFolder();
  await project.write(NAME, "one.example.com");
  expect(await project.command("up", "--yes")).toMatchObject({ code: 0 });
});

afterAll(() => project.close());

const states = ({ out }: Done): string[] =>
  (JSON.parse(out) as { members: { member: string; state: string }[] }).members.map(
    ({ member, state }) => `${member} ${state}`,
  );

/** Waits until a process has written this on stderr. */
function untilSays(child: ChildProcess, what: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
      if (what.test(said)) resolve();
    });
    child.once("close", () => {
      reject(new Error(`it ended without ${String(what)}:\n${said}`));
    });
  });
}

/** An up that is held in its program, once Pulumi has locked the stack and that is recorded; and Pulumi's process id. */
async function heldUp(): Promise<{ child: ChildProcess; pulumi: number }> {
  await project.hold();
  const child = project.start(["up", "--yes", NAME]);
  child.stdout?.resume();
  let locks: string[] = [];
  while (locks.length === 0 || (await project.records()) === 0) {
    await sleep(50);
    locks = (await project.objects(...LOCKS, NAME)).filter((file) => file.endsWith(".json"));
  }
  const { pid } = JSON.parse(await readFile(project.path(...LOCKS, NAME, locks[0] ?? ""), "utf8")) as { pid: number };
  return { child, pulumi: pid };
}

afterEach(() => project.letGo());

describe("after kill -9 of the command alone", () => {
  test("its Pulumi is waited for, or its lock deleted where nobody listening has ended it; then the next run completes", async () => {
    const { child, pulumi } = await heldUp();
    child.kill("SIGKILL");
    await once(child, "close");
    const next = project.start(["up", "--yes", "-o", "json", NAME]);
    const ended = done(next);
    await untilSays(next, new RegExp(`(waits for|deleted the lock of) process ${String(pulumi)} `));
    await project.letGo();
    const result = await ended;
    expect([result.code, states(result)]).toEqual([0, [`${NAME} complete`]]);
    expect(await project.objects(...LOCKS, NAME)).toEqual([]);
  });

  test("and of its Pulumi, the next run deletes the lock, says so, and completes", async () => {
    const { child, pulumi } = await heldUp();
    child.kill("SIGKILL");
    process.kill(-pulumi, "SIGKILL");
    await once(child, "close");
    await project.letGo();
    const next = await project.command("up", "--yes", "-o", "json", NAME);
    expect([next.code, states(next)]).toEqual([0, [`${NAME} complete`]]);
    expect(next.err).toContain(`deleted the lock of process ${String(pulumi)} `);
  });

  test("between the lock and its record, the lock stays; the error says that its process is gone, and the cure works", async () => {
    const { child, pulumi } = await heldUp();
    child.kill("SIGKILL");
    process.kill(-pulumi, "SIGKILL");
    await once(child, "close");
    await project.letGo();
    await rm(project.env["XDG_STATE_HOME"] ?? "", { recursive: true });

    const next = await project.command("up", "--yes", NAME);
    expect(next.code).toBe(1);
    expect(next.out).toContain(
      `There is no process ${String(pulumi)} on this machine now: if ${hostname()} means this machine, the lock is left over.`,
    );
    expect(next.out).toContain(`npx pulumi cancel --stack ${ID}`);
    await project.pulumi("cancel", "--yes", "--stack", ID);
    expect(await project.command("up", "--yes", NAME)).toMatchObject({ code: 0 });
  });
});

test("a second signal ends the command and its Pulumi at once, and nothing stays locked", async () => {
  const { child, pulumi } = await heldUp();
  const ended = once(child, "close");
  child.kill("SIGINT");
  await untilSays(child, /SIGINT: stopping after the running operations/);
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  while (isThere(pulumi)) await sleep(50);
  expect(await project.objects(...LOCKS, NAME)).toEqual([]);
  await project.letGo();
  expect(await project.command("up", "--yes", NAME)).toMatchObject({ code: 0 });
});

interface Checkpoint {
  checkpoint: { latest: { pending_operations?: object[] } };
}

describe("an interrupted creation", () => {
  const file = (): string => project.path("stacks", "spire-federation", `${NAME}.json`);
  const readState = async (): Promise<Checkpoint> => JSON.parse(await readFile(file(), "utf8")) as Checkpoint;

  /** As a kill in the middle of it leaves it; `stack import` would drop it. */
  async function interrupt(inputs: object): Promise<void> {
    const state = await readState();
    const type = "command:local:Command";
    const urn = `urn:pulumi:${NAME}::spire-federation::${type}::interrupted`;
    const resource = { urn, type, custom: true, inputs, outputs: {} };
    state.checkpoint.latest.pending_operations = [{ type: "creating", resource }];
    await writeFile(file(), JSON.stringify(state));
  }

  test("of something that leaves nothing behind is cleared by the next run", async () => {
    await interrupt({});
    const up = await project.command("up", "--yes", NAME);
    expect(up).toMatchObject({ code: 0 });
    expect(up.err).toContain("checked interrupted operations against the cluster: creating interrupted");
    expect((await readState()).checkpoint.latest.pending_operations ?? []).toEqual([]);
  });

  test("of an object that the program no longer has is for the user to decide, and the error's command clears it", async () => {
    await interrupt({ kind: "Role", metadata: { name: "left" } });
    const up = await project.command("up", "--yes", NAME);
    expect(up.code).toBe(1);
    expect(up.out).toContain("interrupted before, and no longer in the program: creating interrupted (Role left)");
    const [, command = ""] = /npx pulumi (refresh --clear-pending-creates --stack \S+)/.exec(up.out) ?? [];
    await project.pulumi(...command.split(" "), "--yes");
    expect(await project.command("up", "--yes", NAME)).toMatchObject({ code: 0 });
  });
});

test("a backend that is away from the middle of an up on costs the result of nobody, and the next up completes", async () => {
  await project.write("other", "two.example.com");
  expect(await project.command("up", "--yes")).toMatchObject({ code: 0 });
  await project.hold();
  const child = project.start(["up", "--yes", "-o", "json"]);
  const ended = done(child);
  while ((await project.records()) < 2) await sleep(50);
  const state = project.path("..");
  await rename(state, `${state}.away`);
  await writeFile(state, "");
  try {
    await project.letGo();
    const result = await ended;
    expect([result.code, states(result)]).toEqual([1, [`${NAME} failed`, "other failed"]]);
    expect(result.err).not.toContain("nothing was changed");
  } finally {
    await rm(state);
    await rename(`${state}.away`, state);
  }
  const next = await project.command("up", "--yes", "-o", "json");
  expect([next.code, states(next)]).toEqual([0, [`${NAME} complete`, "other complete"]]);
  expect(next.err).toContain("deleted the lock of process");
});

test("an up writes only what the bucket policy of docs/pko.md lets a member write", async () => {
  await project.write("other", "two.example.com");
  await project.write(NAME, "one.example.com", "other");
  expect(await project.command("up", "--yes")).toMatchObject({ code: 0 });
  const files = async (): Promise<string[]> => {
    const found = await readdir(project.path(), { recursive: true, withFileTypes: true });
    const all = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    return Promise.all(all.map(async (file) => `${relative(project.path(".."), file)} ${(await stat(file)).mtimeMs}`));
  };
  const before = await files();
  const { child } = await heldUp();
  const during = await files();
  const ended = done(child);
  await project.letGo();
  expect(await ended).toMatchObject({ code: 0 });
  const written = [...during, ...(await files())].filter((file) => !before.includes(file));
  const kinds = new Set(written.map((file) => file.split(sep)[1]));
  expect([...kinds].sort()).toEqual(expect.arrayContaining(["history", "locks", "stacks"]));

  const page = await readFile(join(__dirname, "..", "..", "docs", "pko.md"), "utf8");
  const [, text = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  const { Statement } = JSON.parse(text) as { Statement: { Action: string[]; Resource: string[] }[] };
  const writable = Statement.filter(({ Action }) => Action.includes("s3:PutObject")).flatMap(
    ({ Resource }) => Resource,
  );
  const places = writable.map((arn) => arn.replace("arn:aws:s3:::states/", "").replace(/\*$/, ""));
  expect(written.filter((file) => !places.some((place) => file.startsWith(place)))).toEqual([]);
});

test("an interrupted verify prints what it has seen, and ends with 130", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const cluster = { server: `https://127.0.0.1:${String(port)}` };
  const kubeconfig = join(project.dir, "kubeconfig");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: NAME, context: { cluster: "c", user: "u" } }],
      "current-context": NAME,
    }),
  );
  const child = project.start(["verify", "--wait"], { ...project.env, KUBECONFIG: kubeconfig });
  const ended = done(child);
  await untilSays(child, new RegExp(`waiting for ${NAME}: MESH101`));
  child.kill("SIGINT");
  const { code, out } = await ended;
  server.close();
  expect(code).toBe(130);
  expect(out).toMatch(new RegExp(`^${NAME} +unknown `, "m"));
  expect(out).toContain("MESH101");
});
