/** Pulumi's place is taken by a script; signals and process groups are real. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted, type Interruption, uninterrupted } from "../../../mesh/kernel/interruption";
import { logFile } from "../../../mesh/pulumi/logFile";
import { isThere } from "../../../mesh/pulumi/liveness";
import { PulumiError, runPulumi } from "../../../mesh/pulumi/runPulumi";
import { FakePulumi } from "./fakePulumi";

let fake: FakePulumi;
afterEach(() => {
  fake.close();
});

const run = (script: string, options: Partial<Parameters<typeof runPulumi>[2]> = {}): Promise<string> => {
  fake = new FakePulumi(script);
  return runPulumi(fake, ["up", "--stack", "s"], { interruption: uninterrupted, quietMs: 60_000, ...options });
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

const gone = (pid: number): boolean => !isThere(pid);

class Signals implements Interruption {
  readonly first = new AbortController();
  readonly second = new AbortController();
  readonly signal = this.first.signal;
  readonly force = this.second.signal;
}

test("gives what it writes, and runs where the project is without asking anybody", async () => {
  await expect(run('echo "$*"; pwd')).resolves.toBe(`up --stack s --non-interactive\n${fake.dir}\n`);
});

test("its events are heard as they come, and whatever else is printed is not taken for one", async () => {
  const heard: unknown[] = [];
  const out = await run(
    `echo '{"sequence":0}'; echo hello; echo '{broken'; echo '{"sequence":1,"summaryEvent":{"resourceChanges":{}}}'`,
    {
      onEvent: (event) => heard.push(event.sequence),
    },
  );
  expect([heard, out]).toEqual([[0, 1], ""]);
});

test("all that it prints is kept, for the owner alone, if somebody asks for it", async () => {
  const event = '{"summaryEvent":{"resourceChanges":{}}}';
  fake = new FakePulumi(`echo '${event}'; echo warning >&2`);
  const dir = fake.file("logs");
  const log = () => logFile(dir, "organization/p/s", "up");
  await runPulumi(fake, ["up"], { interruption: uninterrupted, quietMs: 60_000, onEvent: () => undefined, log });
  const [file = "", ...others] = readdirSync(dir);
  expect([file, others]).toEqual([expect.stringMatching(/^s-.*-up\.log$/), []]);
  await until(() => readFileSync(join(dir, file), "utf8").length === `${event}\nwarning\n`.length);
  expect(readFileSync(join(dir, file), "utf8").split("\n").sort()).toEqual(["", "warning", event]);
  expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
});

test("an error has Pulumi's own words", async () => {
  const failed = run("echo 'error: no stack named '\\''s'\\'' found' >&2; exit 255");
  await expect(failed).rejects.toThrow(new PulumiError("no stack named 's' found", ""));
  await expect(failed).rejects.toMatchObject({ isMissing: true, isLocked: false });
});

test("a program that cannot be run is an error that says so", async () => {
  fake = new FakePulumi("");
  const missing = runPulumi({ dir: fake.dir, command: fake.file("none") }, ["up"], {
    interruption: uninterrupted,
    quietMs: 60_000,
  });
  await expect(missing).rejects.toThrow(/pulumi up ended with .*ENOENT/);
});

/** Counts the signals, ends 0.2 s after the first one, and at once on the second. */
const COUNTING = `
  trap 'echo INT >>"$0.heard"; [ "$(wc -l <"$0.heard")" -lt 2 ] || exit 9; ending=1' INT
  echo ready >"$0.ready"
  while [ -z "$ending" ]; do sleep 0.05; done
  for i in 1 2 3 4; do sleep 0.05; done
  exit 7`;

test("runs in a process group of its own, so that a terminal's Ctrl-C does not reach it beside ours", async () => {
  const groups = (await run("ps -o pgid= -p $$; ps -o pgid= -p $PPID")).trim().split(/\s+/);
  expect(groups[0]).not.toBe(groups[1]);
});

test("the first signal is passed on once, and what it does about it is waited for", async () => {
  const signals = new Signals();
  const result = run(COUNTING, { interruption: signals });
  const failed = expect(result).rejects.toThrow(/ended with 7/);
  await until(() => fake.lines("pulumi.ready").length > 0);
  signals.first.abort();
  await failed;
  expect(fake.lines("pulumi.heard")).toEqual(["INT"]);
});

test("the second signal is passed on as well", async () => {
  const signals = new Signals();
  const result = run(COUNTING.replace("1 2 3 4", "$(seq 200)"), { interruption: signals });
  const failed = expect(result).rejects.toThrow(/ended with 9/);
  await until(() => fake.lines("pulumi.ready").length > 0);
  signals.first.abort();
  await until(() => fake.lines("pulumi.heard").length > 0);
  await sleep(300); // bash hears no signal while it acts on one
  signals.second.abort();
  await failed;
  expect(fake.lines("pulumi.heard")).toEqual(["INT", "INT"]);
});

test("after the second signal a Pulumi that does not end is killed with all that it has started", async () => {
  const signals = new Signals();
  const result = run(`trap '' INT; sleep 60 & echo $! >"$0.child"; wait; sleep 60`, { interruption: signals });
  const failed = expect(result).rejects.toThrow(/SIGKILL/);
  await until(() => fake.lines("pulumi.child").length > 0);
  signals.first.abort();
  signals.second.abort();
  await failed;
  const child = Number(fake.lines("pulumi.child")[0]);
  await until(
    () => gone(child) || execFileSync("ps", ["-o", "stat=", "-p", String(child)], { encoding: "utf8" }).startsWith("Z"),
  );
});

test("of what a Pulumi that fails has written to stderr the end is kept", async () => {
  const failing = run("head -c 200000 /dev/zero | tr '\\0' x >&2; echo last words >&2; exit 1");
  const { stderr } = (await failing.catch((error: unknown) => error as PulumiError)) as PulumiError;
  expect([stderr.length, stderr.slice(-12)]).toEqual([64 * 1024, "xlast words\n"]);
});

test("nothing begins after a signal", async () => {
  const signals = new Signals();
  signals.first.abort();
  await expect(run("", { interruption: signals })).rejects.toThrow(Interrupted);
  expect(fake.lines("runs")).toEqual([]);
});

test("one that writes nothing for too long is told to stop, and the error says so; one that writes goes on", async () => {
  const hanging = run("trap 'exit 1' INT; while :; do sleep 0.05; done", { quietMs: 300 });
  await expect(hanging).rejects.toThrow(/pulumi up wrote nothing for 0.3 s and was stopped/);
  fake.close();
  // In all for longer than it may be silent; only a pause of 5 s in which nothing of it runs could fail this.
  await expect(run("for i in $(seq 24); do echo $i; sleep 0.25; done", { quietMs: 5000 })).resolves.toMatch(/24/);
});
