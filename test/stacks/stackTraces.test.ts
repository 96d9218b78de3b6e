import { inspect } from "node:util";
import { mend, printable } from "../../stacks/stackTraces";

const LINE = "    at Stack.initialize (/p/node_modules/@pulumi/resource.ts:1598:22)";

it("keeps a line in a scope's own folder from hanging Node's inspect", () => {
  const error = new Error("refused");
  error.stack = printable(`Error: refused\n    at federate (/p/stacks/cluster.ts:35:11)\n${LINE}\n${LINE}`);
  expect(error.stack.match(/node_modules\/@pulumi\/\.\/resource\.ts:1598:22\)/g)).toHaveLength(2);
  expect(inspect(error, { colors: true })).toContain("refused");
});

it("keeps one in the stack of an error's cause from it, too", () => {
  const cause = new Error("forbidden");
  cause.stack = `Error: forbidden\n${LINE}`;
  const error = new Error("cannot read", { cause });
  mend(error);
  expect(cause.stack).toContain("@pulumi/./resource.ts");
  expect(inspect(error, { colors: true })).toContain("forbidden");
});

it("leaves every other line as it is", () => {
  const stack = [
    "Error: see node_modules/@pulumi/x is wrong",
    "    at run (/p/node_modules/@pulumi/runtime/stack.ts:78:28)",
    "    at sign (/p/node_modules/jose/dist/node_modules.js:1:1)",
  ].join("\n");
  expect(printable(stack)).toBe(stack);
});
