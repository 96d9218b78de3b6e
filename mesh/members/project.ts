/** The project of a folder, as its Pulumi.yaml has it. */
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { isObject } from "../../components/shared/untyped";
import { stackConfigDirOf } from "../../stacks/stackFile";

export interface Project {
  name: string;
  /** Folder of the stacks' files. */
  configDir: string;
  /** Where the state is, as far as the project says. */
  backend?: { url?: string };
  /** Values that every stack has unless its own file says otherwise, by full key. */
  defaults: Record<string, unknown>;
}

export async function projectOf(workspace: Pick<Workspace, "workDir" | "projectSettings">): Promise<Project> {
  // The Automation API's type lacks some of what the file may have.
  const settings: Settings = await workspace.projectSettings();
  const { name, backend, config } = settings;
  return {
    name,
    configDir: join(workspace.workDir, stackConfigDirOf(settings)),
    ...(backend && { backend }),
    defaults: defaultsOf(name, config),
  };
}

interface Settings {
  name: string;
  backend?: { url?: string };
  config?: unknown;
  stackConfigDir?: string;
}

/** A key is written with `value` or `default`, or with its value alone. */
function defaultsOf(project: string, config: unknown): Record<string, unknown> {
  const entries = Object.entries(isObject(config) ? config : {});
  return Object.fromEntries(
    entries.flatMap(([key, entry]) => {
      const value = isObject(entry) ? (entry["value"] ?? entry["default"]) : entry;
      return value === undefined ? [] : [[key.includes(":") ? key : `${project}:${key}`, value]];
    }),
  );
}
