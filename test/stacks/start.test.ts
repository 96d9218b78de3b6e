import { execFileSync } from "node:child_process";

it("loads the Kubernetes client as one file, not as its 900 modules", () => {
  const script = 'require("./start.js"); console.log(JSON.stringify(Object.keys(require.cache)))';
  const loaded = JSON.parse(execFileSync(process.execPath, ["--eval", script], { encoding: "utf8" })) as string[];
  const client = loaded.filter((file) => /kubernetesClient|client-node/.test(file));
  expect(client.map((file) => file.slice(process.cwd().length))).toEqual([
    "/dist/components/cluster/kubernetesClient.js",
  ]);
});
