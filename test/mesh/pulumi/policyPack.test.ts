import { PulumiStacks } from "../../../mesh/pulumi/operations";
import type { Workspace } from "../../../mesh/pulumi/workspace";
import { FakePulumi } from "./fakePulumi";

const quiet = { note: () => undefined, began: () => undefined, doing: () => undefined, ended: () => undefined };

test("a policy pack judges previews and updates, and neither drift nor a destroy, which Pulumi has none for", async () => {
  const fake = new FakePulumi(
    `case $1 in whoami) echo '{"url":"https://api.pulumi.com"}' ;; stack) echo '{"deployment":{}}' ;; *) echo '{"summaryEvent":{"resourceChanges":{}}}' ;; esac`,
  );
  const workspace = {
    pulumiCommand: { command: fake.command },
    workDir: fake.dir,
    envVars: {},
    projectSettings: () => Promise.resolve({ name: "spire-federation" }),
  } as unknown as Workspace;
  const stacks = new PulumiStacks(workspace, quiet).judgedBy("dist/policy");
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
