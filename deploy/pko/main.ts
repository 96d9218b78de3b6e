#!/usr/bin/env node
/** Prints the manifests by which the Pulumi Kubernetes Operator runs the stacks of a project: docs/pko.md. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { checkBuild } from "../../stacks/buildCheck";
import { EXIT, UsageError } from "../../mesh/kernel/exit";
import { projectOf } from "../../mesh/members/project";
import { openProject } from "../../mesh/pulumi/workspace";
import { readDeployed } from "./deployed";
import { render, toYaml } from "./render";

const NAME = "spire-federation-pko";

interface Flags {
  image: string;
  backend?: string;
  namespace: string;
  resync: number;
  inCluster: boolean;
  cwd: string;
}

const command = new Command(NAME)
  .usage("[stack...] --image <image> [flags]")
  .description("Print the manifests by which the Pulumi Kubernetes Operator runs the stacks of this project.")
  .argument("[stack...]", "members; all when none is named")
  .requiredOption("--image <image>", "Image of the workspaces, by digest or by a tag that never moves")
  .option("--backend <url>", "Where the state is; without it, $PULUMI_BACKEND_URL, or the URL in Pulumi.yaml")
  .option("--namespace <name>", "Namespace of the Stacks", "spire-federation")
  .option("--resync <seconds>", "After how many seconds each member runs again", seconds, 300)
  .option("--in-cluster", "The operator runs in the one named member's own cluster", false)
  .option("-C, --cwd <dir>", "Folder of the project", ".")
  .addHelpText("after", "\nSee also: docs/pko.md")
  .exitOverride();

function seconds(word: string): number {
  // The operator takes less for 60.
  if (!/^\d+$/.test(word) || Number(word) < 60) throw new InvalidArgumentError("it is a number of seconds, 60 or more");
  return Number(word);
}

async function main(argv: readonly string[]): Promise<string> {
  const problem = checkBuild();
  if (problem !== undefined) throw new UsageError(problem);
  command.parse([...argv], { from: "user" });
  const flags = command.opts<Flags>();
  if (flags.inCluster && command.args.length !== 1)
    throw new UsageError(
      "--in-cluster: name the one member whose cluster it is; each cluster gets manifests of its own",
    );
  if (flags.backend !== undefined) process.env["PULUMI_BACKEND_URL"] = flags.backend;
  const workspace = await openProject(flags.cwd);
  const backend = process.env["PULUMI_BACKEND_URL"] || (await projectOf(workspace)).backend?.url;
  if (backend === undefined) throw new UsageError("no backend: say with --backend where the state of all members is");
  if (backend.startsWith("file:"))
    throw new UsageError(`--backend ${backend}: each pod would have a folder of its own; use an object store`);
  const members = await readDeployed(workspace, command.args);
  return toYaml(render(members, { ...flags, backend }));
}

main(process.argv.slice(2)).then(
  (text) => process.stdout.write(text),
  (error: unknown) => {
    // Commander has printed its own.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    else {
      process.stderr.write(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.unknown;
    }
  },
);
