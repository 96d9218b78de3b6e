/**
 * What a release consists of, in a folder: the package, its SBOM, checksums and notes. Publishes nothing.
 *
 *   npm run release -- TAG          only says whether TAG can be released
 *   npm run release -- TAG FOLDER   makes the files
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { notesOf, problemsOf, type Sources } from "./release";

const ROOT = join(__dirname, "..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const versionOf = (file: string): string => (JSON.parse(read(file)) as { version: string }).version;
const npm = (...args: string[]): string => execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" });

const [tag, folder] = process.argv.slice(2);
if (tag === undefined) throw new Error("which tag? npm run release -- v1.2.3 [folder]");

const manifest = JSON.parse(read("package.json")) as Sources["manifest"];
const files = ["package-lock.json", "policy/package.json", "plugin/schema.json"];
const copies = Object.fromEntries(files.map((file) => [file, versionOf(file)]));
const changelog = read("CHANGELOG.md");
const containerfile = read("deploy/pko/Containerfile");
const problems = problemsOf(tag, { manifest, copies, changelog, containerfile });
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(2);

if (folder !== undefined) make(resolve(folder), manifest.version);

function make(out: string, version: string): void {
  mkdirSync(out, { recursive: true });
  npm("run", "package", "--", "--pack-destination", out);
  writeFileSync(join(out, `spire-federation-${version}.cdx.json`), sbom());
  writeFileSync(join(out, "notes.md"), `${notesOf(changelog, version)}\n`);
  const sums = readdirSync(out)
    .filter((file) => file.startsWith("spire-federation-"))
    .map(
      (file) =>
        `${createHash("sha256")
          .update(readFileSync(join(out, file)))
          .digest("hex")}  ${file}\n`,
    );
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
  for (const file of readdirSync(out)) console.log(join(out, file));
}

/** Of what the package brings along; peers and tools are others'. npm takes the folder's name for the package's. */
function sbom(): string {
  const printed = npm(
    "sbom",
    "--omit",
    "dev",
    "--omit",
    "peer",
    "--sbom-format",
    "cyclonedx",
    "--sbom-type",
    "library",
  );
  const document = JSON.parse(printed) as { metadata: { component: object } };
  document.metadata.component = { ...document.metadata.component, name: "spire-federation" };
  return `${JSON.stringify(document, null, 2)}\n`;
}
