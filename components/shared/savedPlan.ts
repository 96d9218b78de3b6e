/**
 * What lets a plan that `pulumi preview --save-plan` has written hold in the `up --plan` after it: both have to register
 * the same inputs and the same dependencies. So no input is a time stamp.
 */
import * as pulumi from "@pulumi/pulumi";

/** A value that only an `up` can know. A preview shows it as unknown, and a saved plan accepts any value for it. */
export function onlyInUp<T>(value: () => T): pulumi.Input<T> {
  return pulumi.runtime.isDryRun() ? pulumi.output(pulumi.unknown).apply(value) : value();
}

/**
 * Resolves when a resource is created or updated. In a preview it is known and has the same dependency, which a saved
 * plan demands. It stays unknown for a resource that `--target` leaves out and that is not there yet.
 */
export function onceApplied(resource: pulumi.CustomResource): pulumi.Output<string> {
  return pulumi.runtime.isDryRun() ? resource.urn : resource.id;
}
