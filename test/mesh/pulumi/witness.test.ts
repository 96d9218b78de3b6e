/** An operation succeeded only if Pulumi says what it did. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runPulumi } from "../../../mesh/pulumi/runPulumi";
import { PulumiStacks } from "../../../mesh/pulumi/operations";
import type { Workspace } from "../../../mesh/pulumi/workspace";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { FakePulumi } from "./fakePulumi";

let fake: FakePulumi | undefined;
afterEach(() => fake?.close());

const step = (op: string): string =>
  JSON.stringify({ resourcePreEvent: { metadata: { op, type: "a:b:C", urn: `urn::${op}` } } });
const summary = (resourceChanges: object): string => JSON.stringify({ summaryEvent: { resourceChanges } });

const run = (...lines: string[]): Promise<string> => {
  fake = new FakePulumi(lines.map((line) => `echo '${line}'`).join("\n"));
  return runPulumi(fake, ["up"], { interruption: uninterrupted, quietMs: 60_000, onEvent: () => undefined });
};

test("steps as the summary counts them, as CLI 3.276 writes them", async () => {
  await run(
    ...["same", "refresh", "create-replacement", "replace", "delete-replaced", "update", "delete"].map(step),
    summary({ same: 2, replace: 1, update: 1, delete: 1 }),
  );
});

// Recorded from `pulumi <operation> --json` of that release, of a YAML program with one output: the oldest that is supported.
test.each(["up", "preview"])("the stream of an %s as CLI 3.248 writes it", async (operation) => {
  const stream = readFileSync(join(__dirname, "streams", `${operation}-3.248.jsonl`), "utf8");
  await run(...stream.trim().split("\n"));
  const [, summaryless = ""] = /^([^]*)\n.*summaryEvent/.exec(stream) ?? [];
  await expect(run(...summaryless.split("\n"))).rejects.toThrow(/gave no summary/);
});

test.each<[string, string[], RegExp]>([
  ["nothing at all", [], /gave no summary/],
  ["steps without an end", [step("create")], /gave no summary/],
  ["one document in place of events", ['{"steps":[{"op":"delete","urn":"x"}]}'], /gave no summary/],
  [
    "fewer steps than it counts",
    [step("update"), summary({ update: 2, delete: 1 })],
    /2 update, of which 1.*1 delete, of which 0/,
  ],
])("%s is no success", async (_, lines, message) => {
  await expect(run(...lines)).rejects.toThrow(message);
});

const stacksOf = ({ command, dir }: FakePulumi, interruption = uninterrupted): PulumiStacks => {
  const quiet = { note: () => undefined, began: () => undefined, doing: () => undefined, ended: () => undefined };
  const workspace = {
    pulumiCommand: { command },
    workDir: dir,
    envVars: {},
    projectSettings: () => Promise.resolve({ name: "spire-federation" }),
  } as unknown as Workspace;
  return new PulumiStacks(workspace, quiet, interruption);
};

test("no operation of a stack passes without its events", async () => {
  fake = new FakePulumi(
    `case $1 in whoami) echo '{"url":"https://api.pulumi.com"}' ;; stack) echo '{"deployment":{}}' ;; esac`,
  );
  const stacks = stacksOf(fake);
  for (const operation of ["preview", "up", "destroy", "drift"] as const) {
    expect(await stacks[operation]("cluster1")).toMatchObject({ succeeded: false });
  }
});

test("a backend that did not say where it is once is asked again by the next stack", async () => {
  fake = new FakePulumi(`cd "$(dirname "$0")"
    case $1 in
      whoami) [ -e told ] && echo '{"url":"https://api.pulumi.com"}' || { touch told; echo "error: away" >&2; exit 1; } ;;
      stack) echo '{"deployment":{}}' ;;
      *) echo '${summary({})}' ;;
    esac`);
  const stacks = stacksOf(fake);
  expect(await stacks.up("cluster1")).toMatchObject({ succeeded: false, errors: ["away"] });
  expect(await stacks.up("cluster2")).toMatchObject({ succeeded: true });
});

test.each([
  ["with Pulumi's word for it", 'echo "error: update cancelled" >&2'],
  ["without a word of Pulumi's", ":"],
])("a run that is interrupted says so once, and what it had changed, %s", async (_, word) => {
  const ended = { resOutputsEvent: { metadata: { op: "create", type: "a:b:C", urn: "urn::c" } } };
  const canceled = { diagnosticEvent: { severity: "error", message: "update canceled" } };
  fake = new FakePulumi(`case $1 in
    whoami) echo '{"url":"https://api.pulumi.com"}' ;;
    stack) echo '{"deployment":{}}' ;;
    *) end() { echo '${JSON.stringify(canceled)}'; ${word}; exit 255; }
       trap end INT
       echo '${JSON.stringify(ended)}'; touch "$0.ready"; while :; do sleep 0.05; done ;;
    esac`);
  const interrupting = new AbortController();
  const stacks = stacksOf(fake, { signal: interrupting.signal, force: new AbortController().signal });
  const outcome = stacks.up("cluster1");
  while (fake.lines("pulumi.ready").length === 0) await sleep(20);
  interrupting.abort();
  expect(await outcome).toMatchObject({
    succeeded: false,
    errors: ["was interrupted; the same command goes on from here"],
    changes: { create: 1 },
  });
});
