/** How a rule is written, and how Pulumi asks it. */
import type { Policies, ReportViolation, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { explain, type Problem } from "../components/shared/problem";

/** A resource as Pulumi shows it. Reading a value that is not known in a preview throws. */
export type Resource = Pick<ResourceValidationArgs, "type" | "name" | "urn" | "props" | "opts" | "provider">;

/** What is wrong with one of several resources. */
export interface Violation extends Problem {
  resource: Resource;
}

export interface Rule {
  /** Contract: people turn a rule off by it. */
  name: string;
  description: string;
  /** Judges one resource by itself, before Pulumi creates or updates it. */
  checkResource?: (resource: Resource) => Problem[];
  /** Judges resources in relation to each other, at the end of a preview or an update. */
  checkStack?: (resources: readonly Resource[]) => Violation[];
}

export function policyOf({ checkResource, checkStack, ...about }: Rule): Policies[number] {
  const validateResource = (resource: ResourceValidationArgs, report: ReportViolation): void => {
    for (const found of checkResource?.(resource) ?? []) report(describe(found));
  };
  const validateStack = ({ resources }: StackValidationArgs, report: ReportViolation): void => {
    for (const found of checkStack?.(resources) ?? []) report(describe(found), found.resource.urn);
  };
  return { ...about, validateResource, validateStack };
}

const describe = ({ path, message }: Problem): string => explain([{ path: `${path}:`, message }]);

/** What `read` gives, or undefined where a preview does not know it yet. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && error.constructor.name === "UnknownValueError") return undefined;
    throw error;
  }
}
