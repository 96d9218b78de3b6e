/** The outputs of a stack and its components. */
import { type Problem, problem } from "../components/shared/problem";
import { known, type Resource, type Rule, type Violation } from "./rule";
import { isPrivateJwk, secretIn } from "./secretValues";

export const noSecretsInOutputs: Rule = {
  name: "no-secrets-in-outputs",
  description: "No output of the stack or of a component is a private key, a token or a password.",
  checkStack: (resources) =>
    resources
      .filter(publishes)
      .flatMap((resource): Violation[] => check("outputs", resource.props).map((found) => ({ ...found, resource }))),
};

/** The stack and components; all other resources have a provider, or are one, or are Pulumi's own. */
const publishes = ({ type, provider }: Resource): boolean =>
  type === "pulumi:pulumi:Stack" || (provider === undefined && !type.startsWith("pulumi:"));

/** Judges every value below a path; what a preview does not know is left out. */
function check(path: string, value: unknown): Problem[] {
  if (typeof value === "string") return refusal(path, secretIn(path.split(".").at(-1) ?? path, value));
  if (typeof value !== "object" || value === null) return [];
  if (known(() => isPrivateJwk(value)) === true) return refusal(path, "a private key");
  return Object.keys(value).flatMap((key) =>
    check(
      Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`,
      known(() => (value as Record<string, unknown>)[key]),
    ),
  );
}

const refusal = (path: string, what: string | undefined): Problem[] =>
  what === undefined
    ? []
    : problem(
        path,
        `is ${what}, and everybody who reads the stack has it; remove the output, and keep it in one place`,
      );
