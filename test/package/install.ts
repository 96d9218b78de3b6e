/** The tarball of `npm run package` in somebody else's project. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  bin: Record<string, string>;
}

export const ROOT = join(__dirname, "..", "..");
export const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

/**
 * Packs, and unpacks where `npm install` would. What it depends on are links to what this checkout has: a test asks no registry.
 *
 * @param others further packages that the project has
 */
export function installPackage(project: string, ...others: string[]): { folder: string; files: string[] } {
  const run = (...args: string[]): string => execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  run("run", "--silent", "declarations");
  const [packed] = JSON.parse(run("pack", "--json", "--pack-destination", project)) as {
    filename: string;
    files: { path: string }[];
  }[];
  const folder = join(project, "node_modules", "spire-federation");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", join(project, packed?.filename ?? ""), "--strip-components=1", "-C", folder]);
  for (const name of [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...others]) {
    mkdirSync(dirname(join(project, "node_modules", name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  }
  return { folder, files: packed?.files.map(({ path }) => path) ?? [] };
}
