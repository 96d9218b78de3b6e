/** A component's arguments, checked as soon as they are known. */
import * as pulumi from "@pulumi/pulumi";
import { argumentError, type Problem, refuse } from "./problem";
import { stopProgram } from "./stopProgram";

/**
 * The arguments of a component as values. Those that are values are checked at once, and all of them again when the rest is
 * known: the component then fails, and nothing is created of arguments that are refused.
 *
 * @param check finds nothing wrong in what is not known
 * @param rest the arguments to give. Default: all
 * @throws ResourceError for all that is wrong with what is known
 */
export function checked<Args extends Rest, Rest extends object = Args>(
  name: string,
  args: Args,
  check: (args: Rest) => Problem[],
  component: pulumi.Resource,
  rest: Rest = args,
): pulumi.Output<pulumi.Unwrap<Rest>> {
  refuse(name, check(args), component);
  return onceKnown(name, rest, check, component);
}

/** The second half alone. */
export function onceKnown<Args extends object>(
  name: string,
  args: Args,
  check: (args: Args) => Problem[],
  component: pulumi.Resource,
): pulumi.Output<pulumi.Unwrap<Args>> {
  return pulumi.output(args).apply(async (known) => {
    const problems = check(known as Args);
    return problems.length === 0 ? known : stopProgram(argumentError(name, problems, component).message, component);
  });
}
