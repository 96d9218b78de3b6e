/** The listener in a process of its own, which gets real signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Interrupted, listenForInterruption, pause, withoutResult } from "../../../mesh/kernel/interruption";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Says what it hears; after the first signal it works on for `work` ms. */
async function listening(work: number, done: readonly string[] = []) {
  const script = `
    const { listenForInterruption } = require("./dist/mesh/kernel/interruption.js");
    const heard = listenForInterruption((line) => console.log(line), () => ${JSON.stringify(done)});
    const alive = setInterval(() => undefined, 1000);
    heard.signal.addEventListener("abort", () => setTimeout(() => {
      console.log("cleaned up");
      clearInterval(alive);
      heard.close();
      process.exitCode = heard.exitCode();
    }, ${String(work)}));
    heard.force.addEventListener("abort", () => console.log("forced"));
    console.log("ready");
  `;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const heard = async (text: string): Promise<void> => {
    while (!said.includes(text)) await once(child.stdout, "data");
  };
  await heard("ready");
  const ended = once(child, "exit").then(([code]: number[]) => ({ code, said }));
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), heard, ended };
}

test.each<[NodeJS.Signals, number]>([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
])("after %s the program cleans up, and ends with %i", async (signal, exit) => {
  const program = await listening(100);
  program.kill(signal);
  const { code, said } = await program.ended;
  expect(code).toBe(exit);
  expect(said).toContain(`${signal}: stopping`);
  expect(said).toContain("cleaned up");
  expect(said).not.toContain("forced");
});

test("a second signal, whichever, ends it at once, with the code of the first", async () => {
  const program = await listening(600_000);
  program.kill("SIGTERM");
  await program.heard("stopping");
  program.kill("SIGINT");
  const { code, said } = await program.ended;
  expect(code).toBe(143);
  expect(said).toContain("forced");
  expect(said).not.toContain("cleaned up");
});

test("whoever does not wait for the clean-up is told what stays", async () => {
  const program = await listening(600_000, ["the workload in cluster1"]);
  program.kill("SIGINT");
  await program.heard("stopping");
  program.kill("SIGINT");
  const { code, said } = await program.ended;
  expect(code).toBe(130);
  expect(said).toContain("interrupted; what was done stays: the workload in cluster1");
});

test("nothing was changed only where that is so", () => {
  expect(withoutResult(new Interrupted(), [])).toBe("interrupted; nothing was changed");
  expect(withoutResult(new Interrupted(), ["wrote Pulumi.a.yaml", "created stack a"])).toBe(
    "interrupted; what was done stays: wrote Pulumi.a.yaml, created stack a",
  );
  expect(withoutResult(new Error("no space left"), ["changed Pulumi.a.yaml"])).toBe(
    "no space left; what was done stays: changed Pulumi.a.yaml",
  );
  expect(withoutResult(new Error("no such context"), [])).toBe("no such context");
});

test("a wait ends with the signal", async () => {
  const stop = new AbortController();
  const waiting = pause(600_000, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow(Interrupted);
});

test("once nobody listens any more, signals do what they always do", () => {
  const count = (): number[] => (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) => process.listenerCount(name));
  const before = count();
  const heard = listenForInterruption(() => undefined);
  expect(count()).toEqual(before.map((n) => n + 1));
  heard.close();
  expect(count()).toEqual(before);
});
