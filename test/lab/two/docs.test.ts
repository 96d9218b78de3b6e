/**
 * What README and docs/start.md tell people to run, as it stands and in the order of the page: blocks tagged `sh lab`, in a
 * terminal, by somebody who answers every question with yes and has the deployer's rights.
 */
import { spawn } from "node:child_process";
import type { Project } from "../../../lab/client/project";
import { blocksOf } from "../../docs/pages";
import { testProject } from "../helpers/identities";

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

let project: Project;

beforeAll(async () => {
  project = await testProject();
});

/** Gives the exit code and what was on the terminal. */
function typed(text: string): Promise<{ code: number | null; shown: string }> {
  const shell = spawn("script", ["--quiet", "--return", "--command", 'bash -ec "$TYPED"', "/dev/null"], {
    cwd: project.dir,
    env: { ...process.env, ...project.env, TYPED: text, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  shell.stdout.setEncoding("utf8").on("data", (some: string) => (shown += some));
  // It stays open: its end would be the end of the terminal.
  shell.stdin.write("y\n");
  return new Promise((resolve, reject) => {
    shell.once("error", reject);
    shell.once("close", (code) => {
      resolve({ code, shown });
    });
  });
}

describe.each(["README.md", "docs/start.md"])("%s", (page) => {
  const blocks = blocksOf(page).filter(({ tag }) => tag === "sh lab");

  test.each(blocks.map(({ line, text }) => [line, text]))("line %d: all of the block ends well", async (_, text) => {
    const { code, shown } = await typed(text);
    if (code !== 0) throw new Error(`ended with exit code ${code}:\n${shown}`);
  });
});
