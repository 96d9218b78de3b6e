import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Project } from "../../../lab/client/project";

/**
 * Changes a file of a project's copy of the built program, to have it do as an earlier release did.
 *
 * @param file below dist/components
 * @returns takes the change back
 */
export async function changeProgram(
  project: Project,
  file: string,
  from: string | RegExp,
  to: string,
): Promise<() => Promise<void>> {
  const path = join(project.dir, "dist", "components", file);
  const text = await readFile(path, "utf8");
  expect(text).toMatch(from);
  await writeFile(path, text.replace(from, to));
  return () => writeFile(path, text);
}
