/** deploy/pko/Containerfile, as far as it can be judged without building it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { devDependencies } from "../../package.json";

const ROOT = join(__dirname, "..", "..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const containerfile = read("deploy/pko/Containerfile");

test("its Pulumi is of the release of the packages, on the page too", () => {
  const bases = [containerfile, read("docs/pko.md")].flatMap((text) =>
    [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image),
  );
  const image = `docker.io/pulumi/pulumi-nodejs-22:${devDependencies["@pulumi/pulumi"]}`;
  expect(bases).toEqual([image, image, image]);
});

test("it copies what `npm run build` reads", () => {
  const [, folders = ""] = /\[((?:"\w+", )+"\w+")\]\.map\(\(folder\)/.exec(read("build.mjs")) ?? [];
  const copied = [...containerfile.matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder);
  expect(folders.replaceAll('"', "").split(", ").sort()).toEqual(copied.sort());
  expect(copied.length).toBeGreaterThan(0);
});
