/**
 * Makes dist/ from index.ts and the folders below, which is what runs: `npm run build`. A JavaScript file for each source,
 * with its name; only the Kubernetes client becomes one file, since Node takes three times as long to load its 900 modules.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const CLIENT = "components/cluster/kubernetesClient.ts";
const entries = await Promise.all(
  ["components", "stacks", "mesh", "plugin", "policy", "deploy"].map((folder) =>
    readdir(folder, { recursive: true, withFileTypes: true }),
  ),
);
const files = entries.flat().flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
const sources = ["index.ts", ...files.filter((file) => file.endsWith(".ts"))];
const options = {
  outdir: "dist",
  outbase: ".",
  platform: "node",
  format: "cjs",
  target: "node20",
  logLevel: "warning",
};
// Each file asks for its modules when it needs them: what a command loads late stays a `require` that runs late.
const late = { supported: { "dynamic-import": false } };

await rm("dist", { recursive: true, force: true });
// Before all else: what is edited meanwhile may not be in the build.
await build({ ...options, entryPoints: ["stacks/buildCheck.ts"] });
const built = createRequire(import.meta.url)("./dist/stacks/buildCheck.js").sources(import.meta.dirname);
await build({ ...options, ...late, entryPoints: sources.filter((file) => file !== CLIENT) });
// Without its white space it is half as large, and is read in two thirds of the time.
const { metafile } = await build({
  ...options,
  entryPoints: [CLIENT],
  bundle: true,
  minifyWhitespace: true,
  metafile: true,
});
await writeLicences(Object.keys(metafile.inputs), "dist/components/cluster/kubernetesClient.licences.txt");
for (const file of files.filter((file) => !sources.includes(file) && !file.endsWith("tsconfig.json"))) {
  await mkdir(dirname(join("dist", file)), { recursive: true });
  await copyFile(file, join("dist", file));
}
// The last file: without it a build is not complete.
await writeFile("dist/built", built);

/** Of the packages that are part of the bundle: their licences ask for that. */
async function writeLicences(inputs, to) {
  const packages = inputs.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const texts = [];
  for (const folder of [...new Set(packages)].filter(Boolean).sort()) {
    const licence = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
    texts.push(`${folder}\n\n${licence ? await readFile(join(folder, licence), "utf8") : ""}`);
  }
  await writeFile(to, texts.join("\n\n"));
}
