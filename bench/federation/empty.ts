/** What Pulumi itself takes: as many programs without a resource as a mesh has members, all at once. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Project } from "../../lab/client/project";

export interface EmptyPrograms {
  up(): Promise<unknown>;
}

/** Makes them, each a project of its own; the first up is done. */
export async function emptyPrograms(dir: string, count: number): Promise<EmptyPrograms> {
  const projects = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const path = join(dir, `empty${index}`);
      await mkdir(path, { recursive: true });
      await writeFile(join(path, "Pulumi.yaml"), `name: empty${index}\nruntime: nodejs\nmain: index.js\n`);
      await writeFile(join(path, "package.json"), `{ "name": "empty", "dependencies": { "@pulumi/pulumi": "*" } }\n`);
      await writeFile(join(path, "index.js"), `require("@pulumi/pulumi");\n`);
      await symlink(resolve(__dirname, "..", "..", "node_modules"), join(path, "node_modules"));
      const project = await Project.in(path);
      await project.init("empty");
      await project.up("empty");
      return project;
    }),
  );
  return { up: () => Promise.all(projects.map((project) => project.up("empty"))) };
}
