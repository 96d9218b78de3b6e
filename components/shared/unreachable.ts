/** A cluster that a preview cannot read, for example because it is yet to be created. */
import * as pulumi from "@pulumi/pulumi";

/** Nobody answers there, or nothing says where it is. An API server that refuses is reached. */
export class Unreachable extends Error {
  /** @param cluster that is meant, however often it is asked */
  constructor(
    message: string,
    readonly cluster: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const warned = new Set<string>();

/**
 * What a preview takes for what it cannot read: that it is not known, said once for each cluster. An up needs to know it.
 *
 * @returns undefined where the error counts
 */
export function unknownInPreview(error: unknown): typeof pulumi.unknown | undefined {
  if (!pulumi.runtime.isDryRun() || !(error instanceof Unreachable)) return undefined;
  if (!warned.has(error.cluster)) {
    warned.add(error.cluster);
    void pulumi.log.warn(
      `${error.message}. This preview shows what depends on that cluster as not known; an up needs it.`,
    );
  }
  return pulumi.unknown;
}
