/**
 * `make demo`, run inside a lab of two clusters: federates them as a user would type it, then proves it from the outside.
 * Exit code 0 only when every line of the proof holds.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../client/cluster";
import { labState, Project } from "../client/project";
import { prove } from "./proof";

async function main(): Promise<number> {
  const dir = join(labState(), "demo");
  // A demo that was interrupted left its own copy and state; the clusters themselves are converged again.
  rmSync(dir, { recursive: true, force: true });
  const project = await Project.create(dir, { show: true });
  await project.init("cluster1", "cluster2");
  // Each stack reads what its peers have published: cluster1 is first and joins cluster2 on its second turn.
  for (const stack of ["cluster1", "cluster2", "cluster1"]) await project.up(stack);

  const failures = await prove([new Cluster("cluster1"), new Cluster("cluster2")], (line) =>
    process.stdout.write(`${line}\n`),
  );
  const settings = Object.entries(project.env).map(([name, value]) => `export ${name}=${value}\n`);
  writeFileSync(join(dir, "env"), settings.join(""));
  process.stdout.write(failures === 0 ? afterwards(dir) : `\n${failures} of these did not hold.\n`);
  return failures === 0 ? 0 : 1;
}

const afterwards = (dir: string): string => `
The two clusters trust each other, and go on running.
  look around   make lab-shell
                  kubectl --context cluster1 get pods -A
                  cd ${dir} && . ./env && pulumi stack output --stack cluster1
  tear down     make lab-down
`;

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
