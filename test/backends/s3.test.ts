/** The command on an object store, with real stacks of a tiny program and stack names of every kind. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { ObjectStore } from "./s3";
import { type Done, done } from "./tinyProject";

const STATE = ["stacks", "spire-federation"];
const LOCKS = ["locks", "organization", "spire-federation"];
const [A, B] = ["cluster.1", "Prod_EU"];

jest.setTimeout(600_000);

let store: ObjectStore;

beforeAll(async () => {
  store = await ObjectStore.start();
  await store.write(A, "a.example.com", B);
  await store.write(B, "b.example.com", `organization/spire-federation/${A}`);
});

afterAll(() => store.close());

interface Members {
  members: { member: string; state: string; errors: string[] }[];
}

const states = ({ out }: Done): string[] =>
  (JSON.parse(out) as Members).members.map(({ member, state }) => `${member} ${state}`);

/** A lock as Pulumi writes it. */
async function lock(stack: string, hostname: string, pid: number): Promise<string> {
  const file = store.path(...LOCKS, stack, `${randomUUID()}.json`);
  await mkdir(store.path(...LOCKS, stack), { recursive: true });
  await writeFile(file, JSON.stringify({ pid, username: "jo", hostname, timestamp: new Date().toISOString() }));
  return file;
}

test("stacks are made and brought up, with the passphrase from a file", async () => {
  const up = await store.command("up", "--yes", "-o", "json");
  expect(up.code).toBe(0);
  expect(states(up)).toEqual([`${B} complete`, `${A} complete`]);
  expect(await store.objects(...STATE)).toEqual(expect.arrayContaining([`${B}.json`, `${A}.json`]));
  expect(await store.objects(...LOCKS, A)).toEqual([]);
});

test("status knows whom each trusts, by the names of the stacks, and without a passphrase", async () => {
  const env = { ...store.env, PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
  const status = await done(store.start(["status", "-o", "json", A, `spire-federation/${B}`], env));
  expect(status).toMatchObject({ code: 0, err: "" });
  const { members } = JSON.parse(status.out) as { members: { member: string; trusts: object; pending: string[] }[] };
  expect(members.map(({ member, trusts, pending }) => [member, Object.keys(trusts), pending])).toEqual([
    [A, [B], []],
    [B, [A], []],
  ]);
});

test("the program gets the project's defaults, as the command does", async () => {
  const outputs = JSON.parse(await store.pulumi("stack", "output", "--json", "--stack", A)) as object;
  expect(outputs).toMatchObject({ probe: "machine" });
});

test("two at once: who meets the other's lock says whose it is and leaves it, and the next one is complete", async () => {
  const both = await Promise.all([
    store.command("up", "--yes", "-o", "json"),
    store.command("up", "--yes", "-o", "json"),
  ]);
  for (const { code, out } of both) {
    // Pulumi lists the locks and then reads each: one that is given back in between is the other's, too.
    if (code !== 0)
      expect([code, out]).toEqual([
        1,
        expect.stringMatching(/locked by process \d+ of .*pulumi cancel --stack|NoSuchKey/),
      ]);
  }
  expect(await store.objects(...LOCKS, A)).toEqual([]);
  expect((await store.command("up", "--yes", "-o", "json")).code).toBe(0);
});

test("a stack with a passphrase of its own is run by itself, and its peers are read without theirs", async () => {
  const passphrase = join(store.dir, "other-passphrase");
  await writeFile(passphrase, "of this stack alone");
  await store.write("other", "other.example.com", A);
  const up = await done(
    store.start(["up", "--yes", "-o", "json", "other"], { ...store.env, PULUMI_CONFIG_PASSPHRASE_FILE: passphrase }),
  );
  expect([up.code, states(up)]).toEqual([0, ["other complete"]]);
  await rm(join(store.project, "Pulumi.other.yaml"));
});

test("an unknown secrets provider of a stack's file is Pulumi's to refuse, and no stack is made", async () => {
  await writeFile(
    join(store.project, "Pulumi.new.yaml"),
    stringify({
      secretsprovider: "nosuchkms://key",
      config: { "spire-federation:trustDomain": "new.example.com" },
    }),
  );
  const up = await store.command("up", "--yes", "-o", "json", "new");
  expect(up.code).not.toBe(0);
  expect(up.out).toMatch(/nosuchkms/);
  expect(await store.objects(...STATE)).not.toContain("new.json");
  await rm(join(store.project, "Pulumi.new.yaml"));
});

test("a lock of another host stays; the error says whose it is, and how to release it", async () => {
  const file = await lock(A, "ci-runner-7", 4711);
  const up = await store.command("up", "--yes", "-o", "json", A);
  expect(up.code).toBe(1);
  const [member] = (JSON.parse(up.out) as Members).members;
  expect(member?.errors.join("\n")).toMatch(
    /process 4711 of jo@ci-runner-7.*pulumi cancel --stack organization\/spire-federation\/cluster\.1/s,
  );
  expect(await readFile(file, "utf8")).toContain("ci-runner-7");
  await rm(file);
});

test("after a kill the lock stays, too: who has it may run elsewhere; the command that the error names releases it", async () => {
  await store.hold();
  const child = store.start(["up", "--yes", A]);
  const ended = done(child);
  while ((await store.objects(...LOCKS, A)).length === 0) await sleep(100);
  process.kill(-(child.pid ?? 0), "SIGKILL");
  await ended;
  await endOrphans();
  await store.letGo();
  const locks = await store.objects(...LOCKS, A);
  expect(locks).toHaveLength(1);
  const refused = await store.command("up", "--yes", "-o", "json", A);
  expect([refused.code, refused.out]).toEqual([
    1,
    expect.stringContaining(`pulumi cancel --stack organization/spire-federation/${A}`),
  ]);
  expect(await store.objects(...LOCKS, A)).toEqual(locks);
  await store.pulumi("cancel", "--yes", "--stack", A);
  const up = await store.command("up", "--yes", "-o", "json");
  expect([up.code, states(up)]).toEqual([0, [`${B} complete`, `${A} complete`]]);
});

/** Pulumi's own process group outlives that of the command, and ends by itself once its program goes on; here it is killed, too. */
async function endOrphans(): Promise<void> {
  for (const file of await store.objects(...LOCKS, A)) {
    const { pid } = JSON.parse(await readFile(store.path(...LOCKS, A, file), "utf8")) as { pid: number };
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
