/** The project of a folder: the one that is there, or a new one that runs the program of the installed package. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { parse, parseDocument } from "yaml";
import { PROGRAM } from "../../components/shared/names";
import { isObject } from "../../components/shared/untyped";
import { UsageError } from "../kernel/exit";
import { type Project, projectOf } from "../members/project";
import type { Edit } from "../members/stackFile";

/** What a new project's program is; Pulumi itself would take the library that the package is. */
const MAIN = "index.js";
const PROGRAM_TEXT = `module.exports = require("${PROGRAM}/program");\n`;

export interface InitProject {
  project: Project;
  /** Files that make the project; none where it is there. */
  files: Edit[];
}

/** @throws UsageError where no folder is, where a new project could not run, and for a Pulumi.yaml that is none */
export async function projectIn(dir: string): Promise<InitProject> {
  const there = ["Pulumi.yaml", "Pulumi.yml"].find((file) => existsSync(join(dir, file)));
  if (there !== undefined) return { project: await read(dir, await readFile(join(dir, there), "utf8")), files: [] };
  if (!existsSync(dir))
    throw new UsageError(`${resolve(dir)}: there is no such folder; make it, or name another one with --cwd`);
  refuseWithoutPackage(dir);
  const text = await newProject();
  const main = existsSync(join(dir, MAIN)) ? await readFile(join(dir, MAIN), "utf8") : undefined;
  if (main !== undefined && main !== PROGRAM_TEXT) {
    const cure = `make ${MAIN} say ${PROGRAM_TEXT.trim()}, or run init in another folder`;
    throw new UsageError(`${join(resolve(dir), MAIN)}: it is there already, and another program; ${cure}`);
  }
  const files = [
    { dir, file: "Pulumi.yaml", text },
    ...(main === undefined ? [{ dir, file: MAIN, text: PROGRAM_TEXT }] : []),
  ];
  return { project: await read(dir, text), files };
}

function read(dir: string, text: string): Promise<Project> {
  return projectOf({
    workDir: dir,
    projectSettings: async () => {
      const settings: unknown = await Promise.resolve(parse(text));
      if (isObject(settings) && typeof settings["name"] === "string")
        return { runtime: "nodejs", ...settings, name: settings["name"] };
      throw new UsageError(`${join(resolve(dir), "Pulumi.yaml")}: it has no name, as a project's file has`);
    },
  });
}

/** Pulumi would only say of the new program that it cannot find a module. */
function refuseWithoutPackage(dir: string): void {
  try {
    createRequire(join(resolve(dir), "package.json")).resolve(`${PROGRAM}/program`);
  } catch {
    throw new UsageError(
      `${resolve(dir)}: there is no Pulumi.yaml, and npm's package ${PROGRAM} is not installed, which a new project runs. Run init in ` +
        `a checkout of ${PROGRAM}, or run npm install with the package's tarball here first: docs/package.md`,
    );
  }
}

/** This project's own, which the package has, too. */
async function newProject(): Promise<string> {
  const own = join(dirname(require.resolve(`${PROGRAM}/package.json`)), "Pulumi.yaml");
  const document = parseDocument(await readFile(own, "utf8"));
  document.set("main", MAIN);
  document.deleteIn(["runtime", "options", "typescript"]);
  document.setIn(["runtime", "options", "typescript"], false);
  return document.toString({ lineWidth: 0 });
}
