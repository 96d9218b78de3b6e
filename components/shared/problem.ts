import * as pulumi from "@pulumi/pulumi";
import { printable } from "./printable";

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
 *
 * @throws ResourceError, shown without a stack
 */
export function refuse(what: string, problems: readonly Problem[], resource: pulumi.Resource): void {
  if (problems.length > 0) throw argumentError(what, problems, resource);
}

/** A ResourceError: a program that ends with an InputPropertiesError shows its stack and not its properties. */
export function argumentError(
  what: string,
  problems: readonly Problem[],
  resource: pulumi.Resource,
): pulumi.ResourceError {
  const lines = problems.map(({ path, message }) => `  ${path}: ${printable(message)}`);
  return new pulumi.ResourceError([`${what}: the arguments cannot be used`, ...lines].join("\n"), resource, true);
}

/** One problem, as a list: checks are joined by spreading. */
export function problem(path: string, message: string): Problem[] {
  return [{ path, message }];
}
