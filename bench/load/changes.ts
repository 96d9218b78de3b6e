/** What happens to a federation in its ordinary life. */
import { eventually } from "../../lab/client/eventually";
import { PlainSpireServer } from "../../lab/client/plainSpire";
import { startServerAnew } from "../../lab/client/server";
import type { World } from "./world";

const CERTIFICATE = "spire-server-federation-tls";

export async function changes(world: World): Promise<void> {
  const { cluster1 } = world;
  /** Until the endpoint presents another certificate. */
  const served = async (changed: () => Promise<unknown>): Promise<void> => {
    const certificate = async (): Promise<string> => (await cluster1.endpoint()).certificate.fingerprint256;
    const before = await certificate();
    await changed();
    await eventually(async () => {
      if ((await certificate()) === before) throw new Error("the endpoint presents its old certificate");
    });
  };
  // A rotation of JWT keys waits for the tokens that there are.
  await cluster1.merge({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { defaultJWTValidity: "1m" },
  });
  await world.begin();
  const partner = await PlainSpireServer.start(world.project.dir, {
    trustDomain: "partner.example.org",
    port: 8443,
    profile: "https_web",
  });
  try {
    await world.measure("nothing, for comparison", () => new Promise((done) => setTimeout(done, 30_000)));
    await world.measure("renewal of the endpoint's certificate", () => served(() => cluster1.renew(CERTIFICATE)));
    await world.measure("`rotate --keys x509`", () => world.mesh("rotate", "cluster1", "--keys", "x509"));
    await world.measure("`rotate --keys jwt`, tokens of one minute", () =>
      world.mesh("rotate", "cluster1", "--keys", "jwt"),
    );
    await world.measure("restart of the SPIRE server", () => startServerAnew(cluster1));
    const entry = { name: "partner", trustDomain: partner.trustDomain, bundleEndpointUrl: partner.url };
    await world.configure({ type: "acme" }, entry);
    await world.measure("another peer joins", () => world.mesh("up"));
    await world.measure("that peer leaves (`remove`)", () => world.mesh("remove", "partner"));
    await world.configure({ type: "ca" });
    await world.measure("change of the issuer, from `acme` to `ca`", () => served(() => world.mesh("up")));
  } finally {
    await partner.stop();
  }
}
