/**
 * `make demo`, run inside a lab of two clusters: federates them as a user would type it, and has workloads of theirs meet. Exit code
 * 0 only when all of that succeeds.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labState, Project } from "../client/project";

async function main(): Promise<number> {
  const dir = join(labState(), "demo");
  // A demo that was interrupted left its own copy and state; the clusters themselves are converged again.
  rmSync(dir, { recursive: true, force: true });
  const project = await Project.create(dir, { show: true });
  await project.init("cluster1", "cluster2");
  for (const command of [
    ["up", "--yes"],
    ["verify", "--wait", "--probe"],
  ]) {
    const { code } = await project.mesh(...command);
    if (code !== 0) return code;
  }
  const settings = Object.entries(project.env).map(([name, value]) => `export ${name}=${value}\n`);
  writeFileSync(join(dir, "env"), settings.join(""));
  process.stdout.write(afterwards(dir));
  return 0;
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
