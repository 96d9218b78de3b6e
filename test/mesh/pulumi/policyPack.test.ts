import { PulumiStacks } from "../../../mesh/pulumi/operations";
import type { Workspace } from "../../../mesh/pulumi/workspace";
import { FakePulumi } from "./fakePulumi";

const quiet = { note: () => undefined, began: () => undefined, doing: () => undefined, ended: () => undefined };

const workspaceOf = (fake: FakePulumi): Workspace =>
  ({
    pulumiCommand: { command: fake.command },
    workDir: fake.dir,
    envVars: {},
    projectSettings: () => Promise.resolve({ name: "spire-federation" }),
  }) as unknown as Workspace;

test("a policy pack judges previews and updates, and neither drift nor a destroy, which Pulumi has none for", async () => {
  const fake = new FakePulumi(
    `case $1 in whoami) echo '{"url":"https://api.pulumi.com"}' ;; stack) echo '{"deployment":{}}' ;; *) echo '{"summaryEvent":{"resourceChanges":{}}}' ;; esac`,
  );
  const stacks = new PulumiStacks(workspaceOf(fake), quiet).judgedBy("dist/policy");
  for (const run of ["preview", "up", "destroy", "drift"] as const) {
    expect(await stacks[run]("cluster1")).toMatchObject({ succeeded: true });
  }
  const judged = fake.lines("runs").filter((line) => !/whoami|stack export/.test(line));
  const pack = `--policy-pack ${process.cwd()}/dist/policy`;
  expect(judged.map((line) => [line.split(" ")[1], line.includes(pack)])).toEqual([
    ["preview", true],
    ["up", true],
    ["destroy", false],
    ["preview", false],
  ]);
  fake.close();
});

test("what was approved is in the environment of the up that it was approved for, and of no other", async () => {
  const fake = new FakePulumi(
    `case $1 in
       up) echo "$SPIRE_FEDERATION_APPROVED" >>"$(dirname "$0")/approved"; echo '{"summaryEvent":{"resourceChanges":{}}}' ;;
       whoami) echo '{"url":"https://api.pulumi.com"}' ;;
       stack) echo '{"deployment":{}}' ;;
     esac`,
  );
  const stacks = new PulumiStacks(workspaceOf(fake), quiet);
  const approved = { "apps.c.example.com": { bundleEndpointUrl: "https://c", keys: ["ab12"] } };
  expect(await stacks.up("cluster1", approved)).toMatchObject({ succeeded: true });
  expect(await stacks.up("cluster1")).toMatchObject({ succeeded: true });
  expect(fake.lines("approved")).toEqual([JSON.stringify(approved)]);
  fake.close();
});
