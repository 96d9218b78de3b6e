/** What people read when a program is stopped from inside an output, after it has run to its end. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TinyProject } from "./tinyProject";

jest.setTimeout(600_000);

const STOP = join(__dirname, "..", "..", "dist", "components", "shared", "stopProgram.js");

test("the error stands there, and not where in the program it was thrown", async () => {
  const project = await TinyProject.inFolder();
  try {
    await project.write("cluster1", "one.example.com");
    const program = `
      const { output } = require("@pulumi/pulumi");
      const { stopProgram } = require(${JSON.stringify(STOP)});
      output(new Promise((done) => setTimeout(done, 500))).apply(() => void stopProgram("a peer that cannot be used"));
      module.exports = {};
    `;
    await writeFile(join(project.project, "index.js"), program);
    const { code, err, out } = await project.command("up", "--yes", "-o", "json");
    const [member] = (JSON.parse(out) as { members: { errors: string[] }[] }).members;
    expect({ code, errors: member?.errors }).toEqual({ code: 1, errors: ["a peer that cannot be used"] });
    expect(err).not.toContain(" at ");
  } finally {
    await project.close();
  }
});
