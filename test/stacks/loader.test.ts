import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What the last expression of a script gives, in a process of its own. */
const run = (script: string): unknown =>
  JSON.parse(
    execFileSync(process.execPath, ["--require", "./stacks/loader.js", "--eval", script], { encoding: "utf8" }),
  );

it("loads the program without what only functions in the state need", () => {
  const script = `
    require("./index.ts");
    const packages = Object.keys(require.cache).map((file) => /node_modules\\/(typescript|@npmcli)\\//.exec(file)?.[1]);
    console.log(JSON.stringify([...new Set(packages)]));
  `;
  expect(run(script)).toEqual([null]);
});

it("loads it when it is asked for", () => {
  const script = `
    const { runtime } = require("@pulumi/pulumi");
    const three = 3;
    Promise.all([runtime.serializeFunction(() => three + 1), runtime.computeCodePaths()]).then(([{ text }, paths]) =>
      console.log(JSON.stringify([/=> three [+] 1/.test(text), paths.size > 0])));
  `;
  expect(run(script)).toEqual([true, true]);
});

it("makes JavaScript of a file once", () => {
  const script = `
    require("./index.ts");
    const makers = Object.keys(require.cache).filter((file) => /\\/(sucrase|esbuild)\\//.test(file) && file.endsWith(".js"));
    console.log(JSON.stringify(makers));
  `;
  run(script);
  expect(run(script)).toEqual([]);
});

it("loads the Kubernetes client as one file, not as its own", () => {
  const script = `
    require("./index.ts");
    const files = Object.keys(require.cache).filter((file) => /kubernetesClient|client-node.*js$/.test(file));
    console.log(JSON.stringify(files.map((file) => file.slice(process.cwd().length))));
  `;
  expect(run(script)).toEqual(["/components/kubernetesClient.ts"]);
});

it("leaves every line of TypeScript where it is", () => {
  const file = "components/connect.ts";
  const line =
    readFileSync(file, "utf8")
      .split("\n")
      .findIndex((text) => text.includes("throw new Error(")) + 1;
  const script = `
    try { require("./${file}").connect("nowhere"); } catch ({ stack }) { console.log(JSON.stringify(stack)); }
  `;
  expect(run(script)).toContain(`${file}:${line}:`);
});
