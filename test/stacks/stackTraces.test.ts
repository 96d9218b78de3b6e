import { execFileSync } from "node:child_process";

it("shows Pulumi's own places as they are, on which Node's inspect ends", () => {
  const script = `
    require("source-map-support/register"); // as Pulumi's runner does
    const { CustomResource } = require("@pulumi/pulumi");
    require("./stacks/stackTraces.ts").plainStackTraces();
    try { new CustomResource("a:b:C", ""); } catch ({ stack }) { console.log(stack); }
  `;
  const stack = execFileSync(process.execPath, ["--require", "./stacks/loader.js", "--eval", script], {
    encoding: "utf8",
  });
  expect(stack).toMatch(/node_modules\/@pulumi\/pulumi\/resource\.js:/);
  expect(stack).not.toContain("resource.ts");
});
