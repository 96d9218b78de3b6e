import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** What `npm run build` reads; package-lock.json because the Kubernetes client is bundled. */
const SOURCES = ["build.mjs", "components", "index.ts", "mesh", "package-lock.json", "stacks"];

/**
 * Compares a checkout's sources with dist/, which is what runs: an edited program must not run as it was before. By their
 * content: a checkout or a restored cache changes times alone.
 *
 * @param root folder of the package; a package from npm has no sources, so there is nothing to compare
 * @returns what is wrong and what to do, or undefined
 */
export function checkBuild(root = resolve(__dirname, "..", "..")): string | undefined {
  if (!existsSync(join(root, "stacks", "buildCheck.ts"))) return undefined;
  const file = join(root, "dist", "built");
  if (!existsSync(file)) return 'dist: the program is not built; run "npm run build"';
  const [built, now] = [new Set(readFileSync(file, "utf8").split("\n")), sources(root).split("\n")];
  const other = now.find((line) => !built.has(line)) ?? [...built].find((line) => !now.includes(line));
  return other === undefined ? undefined : `${nameIn(other)}: changed after the program was built; run "npm run build"`;
}

const nameIn = (line: string): string => line.slice(line.indexOf(" ") + 1);

/** A line for each source: its SHA-256 and its name. The build writes them to dist/built. */
export function sources(root: string): string {
  const files = SOURCES.flatMap((name) => filesIn(root, name)).sort();
  const hash = (name: string): string =>
    createHash("sha256")
      .update(readFileSync(join(root, name)))
      .digest("hex");
  return files.map((name) => `${hash(name)} ${name}`).join("\n");
}

function filesIn(root: string, name: string): string[] {
  if (!statSync(join(root, name)).isDirectory()) return [name];
  const entries = readdirSync(join(root, name), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name));
}
