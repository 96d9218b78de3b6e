/** A disk that takes no log costs the log alone: what Pulumi did is known, and the folder is named. */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { logFile } from "../../../mesh/pulumi/logFile";
import { runPulumi } from "../../../mesh/pulumi/runPulumi";
import { FakePulumi } from "./fakePulumi";

let fake: FakePulumi;
const said: string[] = [];
let opened: (path: string) => number;

jest.mock("node:fs", () => ({ ...jest.requireActual<typeof fs>("node:fs"), openSync: (path: string) => opened(path) }));

beforeEach(() => {
  said.length = 0;
  // More than a stream keeps back before it writes, so that a write fails while Pulumi still runs.
  fake = new FakePulumi(
    "for i in $(seq 2000); do echo 'line of a log that is written again and again'; done; echo end",
  );
});
afterEach(() => {
  fake.close();
});

test.each<[string, (path: string) => number]>([
  ["ENOSPC", () => jest.requireActual<typeof fs>("node:fs").openSync("/dev/full", "w")],
  [
    "EROFS",
    (path) => {
      throw new Error(`EROFS: read-only file system, open '${path}'`);
    },
  ],
])("%s under --log-dir", async (code, open) => {
  opened = open;
  const dir = join(fake.dir, "logs");
  const log = () => logFile(dir, "organization/p/cluster1", "up", (line) => said.push(line));
  const out = await runPulumi(fake, ["up"], { interruption: uninterrupted, quietMs: 60_000, log });
  expect(out.trim().split("\n")).toHaveLength(2001);
  while (said.length === 0) await sleep(10);
  await sleep(50);
  expect(said).toEqual([expect.stringContaining(join(dir, "cluster1-"))]);
  expect(said[0]).toContain(code);
});
