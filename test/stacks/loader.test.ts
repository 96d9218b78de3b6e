import { execFile, execFileSync } from "node:child_process";
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

it("lets a rejection pass through many outputs at once", async () => {
  const program = `
    const { isInitializedAsync } = require("@pulumi/pulumi/runtime/closure/v8Hooks");
    (async () => {
      await isInitializedAsync(); // as Pulumi's runner does
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
    // With a debugger this would take years: a bound against hanging.
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

it("shows Pulumi's own places as they are, on which Node's inspect ends", () => {
  const script = `
    require("source-map-support/register"); // as Pulumi's runner does
    const { CustomResource } = require("@pulumi/pulumi");
    try { new CustomResource("a:b:C", ""); } catch ({ stack }) { console.log(JSON.stringify(stack)); }
  `;
  const stack = run(script);
  expect(stack).toMatch(/node_modules\/@pulumi\/pulumi\/resource\.js:/);
  expect(stack).not.toContain("resource.ts");
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
  const file = "components/kubeconfig.ts";
  const line =
    readFileSync(file, "utf8")
      .split("\n")
      .findIndex((text) => text.includes('throw new AccessError("kubeconfig"')) + 1;
  const script = `
    try { require("./${file}").loadKubeconfig({ kubeconfig: "/nowhere" }); } catch ({ stack }) { console.log(JSON.stringify(stack)); }
  `;
  expect(run(script)).toContain(`${file}:${line}:`);
});
