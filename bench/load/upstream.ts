/**
 * A SPIRE server that has signed for itself gets an upstream CA, and that CA another root; with SPIRE's own commands, in the order
 * of docs/rotate.md, since `rotate` leaves that CA's roots to its owner.
 */
import { type Cluster, NAMESPACE } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { restarting } from "../../lab/client/server";
import { held } from "../../lab/client/trust";
import { authoritiesBy } from "../../mesh/spire/authorities";
import type { World } from "./world";

const ISSUER = "spire-upstream";
const SELF_SIGNED = "self-signed";
/** Agents look every five seconds, and get new SVIDs for at most 500 workloads each time. */
const AGENTS_SYNC = 10_000;

export async function upstream(world: World): Promise<void> {
  const { cluster1, cluster2 } = world;
  const server = authoritiesBy({ run: (...args) => cluster1.spireServer(...args) });
  const pause = (): Promise<void> => new Promise((done) => setTimeout(done, AGENTS_SYNC));
  const upstreamId = async (): Promise<string> => (await server.slots("x509")).active?.upstream ?? "";
  const peerHolds = async (): Promise<void> => {
    await cluster2.refreshBundle(cluster1.trustDomain);
    await held(cluster2, cluster1);
  };
  /** The next authority signs below the CA's present root; it is used once the peer and all agents hold that root. */
  const replaced = async (): Promise<void> => {
    await server.prepare("x509");
    const { prepared } = await server.slots("x509");
    await peerHolds();
    await pause();
    await server.activate("x509", prepared?.id ?? "");
  };

  await world.begin();
  await setRoot(cluster1, "upstream-root-1");
  await world.measure("an upstream CA is configured", () => setUpstream(cluster1));
  await world.measure("SPIRE's first authority below that CA", replaced);
  const old = await upstreamId();
  await setRoot(cluster1, "upstream-root-2");
  await world.measure("that CA gets another root, the old one is tainted and revoked", async () => {
    await replaced();
    if ((await upstreamId()) === old) throw new Error("the new authority is below the old root");
    await cluster1.spireServer("upstreamauthority", "taint", "-subjectKeyID", old);
    await pause();
    await pause();
    await cluster1.spireServer("upstreamauthority", "revoke", "-subjectKeyID", old);
    await peerHolds();
  });
}

/** cert-manager's issuer for the SPIRE server signs with this root from now on. */
async function setRoot(cluster: Cluster, name: string): Promise<void> {
  const object = (kind: string, named: string, spec: object): Promise<unknown> =>
    cluster.apply({ apiVersion: "cert-manager.io/v1", kind, metadata: { name: named, namespace: NAMESPACE }, spec });
  await object("Issuer", SELF_SIGNED, { selfSigned: {} });
  await object("Certificate", name, {
    isCA: true,
    commonName: name,
    secretName: name,
    issuerRef: { name: SELF_SIGNED },
  });
  await eventually(async () => {
    const { data } = await cluster.core.readNamespacedSecret({ name, namespace: NAMESPACE });
    if (data?.["tls.crt"] === undefined) throw new Error(`${name} has no certificate yet`);
  });
  await object("Issuer", ISSUER, { ca: { secretName: name } });
}

const setUpstream = (cluster: Cluster): Promise<void> =>
  restarting(cluster, () =>
    cluster.merge({
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: { upstreamAuthority: { certManager: { namespace: NAMESPACE, issuerName: ISSUER } } },
    }),
  );
