/** The folder of a project, with a script in Pulumi's place. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { stringify } from "yaml";

export interface ProjectFolder {
  dir: string;
  workspace: Workspace;
  /** What Pulumi does from now on; at first it knows no stack. */
  pulumiSays: (script: string) => Promise<void>;
  /** What it was asked, a line each. */
  asked: () => Promise<string>;
  /** Writes a stack's file, with these keys of the project. */
  stack: (name: string, config: Readonly<Record<string, unknown>>, rest?: object) => Promise<void>;
}

/** @param settings what Pulumi.yaml says, each time that it is read */
export async function projectFolder(settings: () => object): Promise<ProjectFolder> {
  const dir = await mkdtemp(join(tmpdir(), "project-"));
  const program = join(dir, "pulumi");
  const folder: ProjectFolder = {
    dir,
    workspace: {
      workDir: dir,
      pulumiCommand: { command: program },
      projectSettings: () => Promise.resolve(settings()),
    } as Partial<Workspace> as Workspace,
    pulumiSays: (script) => writeFile(program, `#!/bin/sh\necho "$@" >> ${dir}/asked\n${script}\n`, { mode: 0o755 }),
    asked: () => readFile(join(dir, "asked"), "utf8"),
    stack: (name, config, rest = {}) => {
      const own = Object.fromEntries(Object.entries(config).map(([key, value]) => [`spire-federation:${key}`, value]));
      return writeFile(join(dir, `Pulumi.${name}.yaml`), stringify({ config: own, ...rest }));
    },
  };
  await folder.pulumiSays('echo "error: no stack named found" >&2; exit 6');
  return folder;
}
