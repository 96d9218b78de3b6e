import { readdir } from "node:fs/promises";

/** Names of the stacks that have a file in the folder. */
export async function stacksWithFile(dir: string): Promise<string[]> {
  const files = await readdir(dir).catch(() => []);
  return [...new Set(files.flatMap((file) => /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1] ?? []))].sort();
}
