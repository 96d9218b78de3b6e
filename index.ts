/** One stack is one OpenShift cluster: its config in, its membership in the SPIRE federation built, its outputs out. */
import { RunError } from "@pulumi/pulumi";
import { checkBuild } from "./stacks/buildCheck";
import { federate } from "./stacks/cluster";
import { readConfig } from "./stacks/config";
import { undoRunner } from "./stacks/pulumiRunner";

export = async () => {
  await undoRunner();
  const problem = checkBuild();
  if (problem !== undefined) throw new RunError(problem);
  return federate(readConfig());
};
