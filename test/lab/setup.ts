/** Before each file: its stacks are new ones, and new stacks keep the trust that earlier ones have left on a cluster. */
import { Cluster } from "../../lab/client/cluster";
import { removeTrust } from "./helpers/leftovers";

beforeAll(async () => {
  for (const name of Cluster.names()) await removeTrust(new Cluster(name));
});
