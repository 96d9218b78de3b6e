/** What all workflows have; what else is wrong with them, actionlint says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const FOLDER = ".github/workflows";
/** Users call it: how long an `up` may take is theirs to say. */
const TEMPLATE = "spire-federation.yml";

interface Workflow {
  permissions: object;
  jobs: Record<string, { permissions?: object; uses?: string; "timeout-minutes"?: number }>;
}

const workflows = readdirSync(FOLDER).map((file) => [file, readFileSync(join(FOLDER, file), "utf8")] as const);

test.each(workflows)("%s names other people's actions by commit, with their version", (_, text) => {
  const uses = [...text.matchAll(/uses: (.*)$/gm)]
    .map(([, action = ""]) => action)
    .filter((one) => !one.startsWith("./"));
  expect(uses).not.toEqual([]);
  expect(uses.filter((action) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
});

test.each(workflows)("each job of %s has the rights that it names, and an end", (file, text) => {
  const { permissions, jobs } = parse(text, { merge: true }) as Workflow;
  expect(permissions).toEqual({});
  for (const [name, job] of Object.entries(jobs)) {
    expect([name, Object.keys(job)]).toEqual([name, expect.arrayContaining(["permissions"])]);
    if (file !== TEMPLATE && job.uses === undefined)
      expect([name, job["timeout-minutes"]]).toEqual([name, expect.any(Number)]);
  }
});

test("nothing in a workflow runs the code of a pull request with the rights of the repository", () => {
  expect(workflows.filter(([, text]) => /pull_request_target|workflow_run/.test(text)).map(([file]) => file)).toEqual(
    [],
  );
});
