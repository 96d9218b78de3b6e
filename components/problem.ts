import * as pulumi from "@pulumi/pulumi";

/** One thing that is wrong with the input, and what would be right. */
export interface Problem {
  /** Path of the property below the args or the config, for example `issuer.server`. */
  path: string;
  /** What is wrong; what would be right. */
  message: string;
}

/** The problems in one line, as an error shows them. */
export function explain(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path} ${message}`).join("; ");
}

/**
 * Refuses a component's arguments, all problems at once.
 *
 * Call it after `super()` and before the first child, so that nothing is created from input that is refused.
 */
export function refuse(what: string, problems: readonly Problem[]): void {
  if (problems.length === 0) {
    return;
  }
  throw new pulumi.InputPropertiesError({
    message: `${what}: the arguments are not right`,
    errors: problems.map((problem) => ({ propertyPath: problem.path, reason: problem.message })),
  });
}

/** One problem, as a list: checks are joined by spreading. */
export function problem(path: string, message: string): Problem[] {
  return [{ path, message }];
}
