/** Programs that begin as under Pulumi's runner. In processes of their own: jest has source maps and promises of its own. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** What a program prints that undoes the runner, or does not. */
async function run(program: string, undone = true): Promise<string> {
  const script = `
    require("source-map-support/register");
    const { isInitializedAsync } = require("@pulumi/pulumi/runtime/closure/v8Hooks");
    const { undoRunner } = require("./dist/stacks/pulumiRunner.js");
    isInitializedAsync().then(() => ${undone ? "undoRunner()" : "undefined"}).then(async () => { ${program} });
  `;
  // Where the workaround is missing some would end after years only: a bound against hanging.
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", script], { timeout: 50_000 });
  return stdout;
}

/** An error of Pulumi's SDK, as Pulumi prints it or as it is. */
const refusedName = (shown: string): string => `
  const { CustomResource } = require("@pulumi/pulumi");
  try { new CustomResource("a:b:C", ""); } catch (error) { console.log(${shown}); }
`;

it("lets a rejection pass through many outputs at once", async () => {
  const program = `
    const refuse = async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error("refused");
    };
    const step = (value) => Promise.all([value.then((x) => x), value.then((x) => x)]);
    let value = refuse();
    for (let steps = 0; steps < 50; steps++) value = step(value); // each doubles the paths
    process.on("unhandledRejection", ({ message }) => { console.log(message); process.exit(); });
  `;
  expect(await run(program)).toBe("refused\n");
});

it("shows the SDK's own places as they are, and so what Pulumi prints of an error ends", async () => {
  const printed = await run(refusedName('require("util").inspect(error, { colors: true })'));
  expect(printed).toMatch(/resource\.js:/);
});

it("can go when Pulumi's runner neither maps places nor opens a debugger", async () => {
  expect(await run(refusedName("error.stack"), false)).toContain("resource.ts");
  const runner = readFileSync(require.resolve("@pulumi/pulumi/cmd/run"), "utf8");
  expect(runner).toContain('require("source-map-support/register")');
  expect(runner).toContain("isInitializedAsync()");
});

it("costs no program where the SDK does not export its debugger", async () => {
  const output = await run(`
    const hidden = require.resolve("@pulumi/pulumi/runtime/closure/v8Hooks");
    Object.defineProperty(require.cache, hidden, { get() { throw new Error("ERR_PACKAGE_PATH_NOT_EXPORTED"); } });
    await require("./dist/stacks/pulumiRunner.js").undoRunner();
    console.log("runs");
  `);
  expect(output).toBe("runs\n");
});
