import { execFile } from "node:child_process";

it("lets a rejection pass through many outputs at once", async () => {
  const program = `
    const { isInitializedAsync } = require("@pulumi/pulumi/runtime/closure/v8Hooks");
    const { switchDebuggerOff } = require("./stacks/debuggerOff.ts");
    (async () => {
      await isInitializedAsync();
      await switchDebuggerOff();
      const refuse = async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        throw new Error("refused");
      };
      const step = (value) => Promise.all([value.then((x) => x), value.then((x) => x)]);
      let value = refuse();
      for (let steps = 0; steps < 50; steps++) value = step(value); // each doubles the paths
      process.on("unhandledRejection", ({ message }) => { console.log(message); process.exit(); });
    })();
  `;
  const said = await new Promise<string>((resolve) => {
    // Without it this would take years: a bound against hanging.
    execFile(
      process.execPath,
      ["--require", "./stacks/loader.js", "--eval", program],
      { timeout: 60_000 },
      (error, stdout) => {
        resolve(error?.message ?? stdout);
      },
    );
  });
  expect(said).toBe("refused\n");
}, 90_000);
