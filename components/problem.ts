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
 * An error about the user's cluster or input, shown without a stack.
 *
 * Its message stays what it is: Pulumi puts the name of whatever property it was serializing in front of the message of
 * an error that an output carries, once for each, and nobody can do anything with that.
 */
export function fault(message: string, resource?: pulumi.Resource): pulumi.ResourceError {
  const error = new pulumi.ResourceError(message, resource, true);
  return Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
}

/** For `catch`: a failed read, as such an error. */
export function asFault(resource: pulumi.Resource): (error: unknown) => never {
  return (error) => {
    throw fault(error instanceof Error ? error.message : String(error), resource);
  };
}

/**
 * Refuses a component's arguments, all problems at once.
 *
 * Call it after `super()` and before the first child, so that nothing is created from input that is refused. It is a
 * ResourceError, since a program that ends with an InputPropertiesError shows its stack and not its properties.
 */
export function refuse(what: string, problems: readonly Problem[], resource: pulumi.Resource): void {
  if (problems.length > 0) {
    const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
    throw fault([`${what}: what it was given cannot be used`, ...lines].join("\n"), resource);
  }
}

/** One problem, as a list: checks are joined by spreading. */
export function problem(path: string, message: string): Problem[] {
  return [{ path, message }];
}
