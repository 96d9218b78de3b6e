/** OLM upgrades ZTWIM of cluster1; in a lab in which it has 1.0. */
import { approve, installed } from "../../lab/client/upgrade";
import type { World } from "./world";

export async function upgrade(world: World): Promise<void> {
  await world.begin();
  const to = async (version: string, spire: string): Promise<void> => {
    await approve(world.cluster1, version);
    await installed(world.cluster1, version, spire);
  };
  await world.measure("ZTWIM 1.0.0 → 1.0.1", () => to("1.0.1", "1.13.3"));
  await world.measure("ZTWIM 1.0.1 → 1.1.1", () => to("1.1.1", "1.14.7"));
}
