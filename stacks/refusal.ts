import * as pulumi from "@pulumi/pulumi";
import { printable } from "../components/shared/printable";
import type { Problem } from "../components/shared/problem";

/**
 * All reasons why a stack must not go on, in one error that a person can work through.
 *
 * It is thrown before the first resource is created. Each problem's path is a config key; the message names the cure.
 */
export class ConfigError extends pulumi.RunError {
  constructor(
    project: string,
    readonly problems: readonly Problem[],
  ) {
    const lines = problems.map(({ path, message }) => `  ${project}:${path}: ${printable(message)}`);
    super(["Nothing was changed; this has to be put right first:", ...lines].join("\n"));
    this.name = "ConfigError";
  }

  /** Throws if there are problems. */
  static throwIfAny(project: string, problems: readonly Problem[]): void {
    if (problems.length > 0) throw new ConfigError(project, problems);
  }
}
