import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What the last expression of a script gives, in a process of its own. */
const run = (script: string): unknown =>
  JSON.parse(
    execFileSync(process.execPath, ["--require", "./stacks/loader.js", "--eval", script], { encoding: "utf8" }),
  );

it("loads the program without what its starts don't need", () => {
  const script = `
    require("@pulumi/pulumi/cmd/run/tracing.js");
    require("./index.ts");
    console.log(JSON.stringify(Object.keys(require.cache)));
  `;
  const left =
    /\/node_modules\/(typescript|@npmcli|@opentelemetry\/(?!api)|@pulumi\/(pulumi\/automation|kubernetes\/(helm|yaml)))\//;
  expect((run(script) as string[]).filter((file) => left.test(file))).toEqual([]);
});

it("loads it when it is asked for", () => {
  const script = `
    const { automation, runtime } = require("@pulumi/pulumi");
    const { helm, kustomize, yaml } = require("@pulumi/kubernetes");
    const tracing = require("@pulumi/pulumi/cmd/run/tracing.js");
    tracing.start("http://127.0.0.1:1/api/v2/spans");
    const three = 3;
    Promise.all([runtime.serializeFunction(() => three + 1), runtime.computeCodePaths()]).then(([{ text }, paths]) => {
      const parts = [automation.LocalWorkspace, helm.v3.Chart, kustomize.v2.Directory, yaml.ConfigFile];
      console.log(JSON.stringify([
        /=> three [+] 1/.test(text),
        paths.size > 0,
        tracing.newSpan("one").isRecording(),
        parts.map((part) => typeof part),
      ]));
      process.exit();
    });
  `;
  expect(run(script)).toEqual([true, true, true, Array(4).fill("function")]);
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
