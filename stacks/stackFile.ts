/** Where a project has the files of its stacks. Pure. */
import { parse } from "yaml";
import { isObject } from "../components/shared/untyped";
import type { ReadFile } from "./configuredPeer";

/** Names that a stack's file may have; the first one that is there counts. */
export const stackFileNames = (stack: string): string[] => [`Pulumi.${stack}.yaml`, `Pulumi.${stack}.yml`];

/** Folder of the stacks' files, from the project's; "" for the same. Once the key was called `config`. */
export function stackConfigDirOf({ config, stackConfigDir }: { config?: unknown; stackConfigDir?: unknown }): string {
  const dir = stackConfigDir ?? config;
  return typeof dir === "string" ? dir : "";
}

/** The same as the project's own file says it. */
export function stackConfigDirIn(readFile: ReadFile): string {
  const project = firstOf(["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"], readFile);
  return isObject(project?.content) ? stackConfigDirOf(project.content) : "";
}

/** The first of the files that can be read; undefined content for one that is not YAML. */
export function firstOf(files: readonly string[], readFile: ReadFile): { file: string; content: unknown } | undefined {
  for (const file of files) {
    const text = textOf(file, readFile);
    if (text !== undefined) return { file, content: parsedYaml(text) };
  }
  return undefined;
}

function textOf(file: string, readFile: ReadFile): string | undefined {
  try {
    return readFile(file);
  } catch {
    return undefined;
  }
}

function parsedYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
