/** One stack is one OpenShift cluster: its config in, its membership in the SPIRE federation built, its outputs out. */
import { RunError } from "@pulumi/pulumi";
import { checkBuild } from "./buildCheck";
import { federate } from "./cluster";
import { readConfig } from "./config";
import { undoRunner } from "./pulumiRunner";

export = async () => {
  await undoRunner();
  const problem = checkBuild();
  if (problem !== undefined) throw new RunError(problem);
  return federate(readConfig());
};
