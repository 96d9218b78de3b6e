import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** What `npm run build` reads; package-lock.json because the Kubernetes client is bundled. */
const SOURCES = ["build.mjs", "components", "index.ts", "mesh", "package-lock.json", "stacks"];

/**
 * Compares a checkout's sources with dist/, which is what runs: an edited program must not run as it was before.
 *
 * @param root folder of the package; as installed from npm it has no sources, and nothing to compare
 * @returns what is wrong and what to do, or undefined
 */
export function checkBuild(root = resolve(__dirname, "..", "..")): string | undefined {
  if (!existsSync(join(root, "stacks", "buildCheck.ts"))) return undefined;
  const built = statSync(join(root, "dist", "built"), { throwIfNoEntry: false });
  if (built === undefined) return 'dist: the program is not built; run "npm run build"';
  const newer = SOURCES.flatMap((name) => filesIn(root, name)).find(
    (file) => statSync(join(root, file)).mtimeMs > built.mtimeMs,
  );
  return newer === undefined ? undefined : `${newer}: changed after the program was built; run "npm run build"`;
}

function filesIn(root: string, name: string): string[] {
  if (!statSync(join(root, name)).isDirectory()) return [name];
  const entries = readdirSync(join(root, name), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name));
}
