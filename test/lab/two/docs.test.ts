/**
 * What README and docs/start.md tell people to run, as it stands and in the order of the page: blocks tagged `sh lab`, in a
 * terminal, by somebody who answers every question with yes and has the deployer's rights.
 */
import type { Project } from "../../../lab/client/project";
import { blocksOf } from "../../docs/pages";
import { testProject } from "../helpers/identities";
import { typed } from "../helpers/typed";

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

let project: Project;

beforeAll(async () => {
  project = await testProject();
});

describe.each(["README.md", "docs/start.md"])("%s", (page) => {
  const blocks = blocksOf(page).filter(({ tag }) => tag === "sh lab");

  test.each(blocks.map(({ line, text }) => [line, text]))("line %d: all of the block ends well", async (_, text) => {
    const { code, shown } = await typed(project, text);
    if (code !== 0) throw new Error(`ended with exit code ${code}:\n${shown}`);
  });
});
