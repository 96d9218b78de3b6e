import * as pulumi from "@pulumi/pulumi";
import { printable } from "./printable";

/**
 * Refuses what an up must not do. A preview goes on with a warning: drift is found by a preview, and one foreign object
 * must not hide everything else.
 *
 * @throws the refusal, in an up
 */
export async function refuseInUp(refusal: Error): Promise<void> {
  if (!pulumi.runtime.isDryRun()) throw refusal;
  await pulumi.log.warn(printable(`an up refuses this: ${refusal.message}`));
}
