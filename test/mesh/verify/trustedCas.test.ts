/** A peer's endpoint with a CA of its own, and what the SPIRE server trusts. */
import type { Outcome } from "../../../mesh/verify/check";
import { issue } from "../../components/issue";
import { set } from "./faults";
import { type Cluster, type Live, look, memberNamed, NAMES } from "./fixture";

const ca = issue("internal CA", { ca: true });
const members = NAMES.map((name) => memberNamed(name, name === "cluster2" ? { endpoint: { ca: ca.pem } } : {}));
const OURS = "spire-federation-peer-cas-0123456789ab";

const mount = (name: string, pem?: string) => (cluster: Cluster) => {
  const volumes = [{ name: "trusted-ca-bundle", configMap: { name } }];
  set("StatefulSet", "spec.template.spec", { volumes })(cluster);
  const metadata = { name, namespace: "zero-trust-workload-identity-manager" };
  const map: Live = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca-bundle.crt": pem ?? "" } };
  cluster.objects.push(map);
};

async function said(change: (cluster1: Cluster) => void = () => undefined): Promise<Outcome[]> {
  const { pairs } = await look({
    members,
    change: ({ cluster1 }) => {
      if (cluster1 !== undefined) change(cluster1);
    },
  });
  return pairs
    .filter(({ member }) => member === "cluster1")
    .map(({ peer, checks }) => {
      const found = checks.find(({ code }) => code === "MESH214");
      if (found === undefined) throw new Error(`no MESH214 of ${peer}`);
      return found;
    });
}

it("is asked only of peers whose endpoint has a CA of its own", async () => {
  const [cluster2, cluster3] = await said(mount(OURS, ca.pem));
  expect(cluster2).toMatchObject({ state: "ok", evidence: `CA CN=internal CA, in ConfigMap ${OURS}` });
  expect(cluster3).toMatchObject({ state: "skipped" });
});

it.each<[string, ((cluster: Cluster) => void) | undefined, RegExp, RegExp]>([
  ["its image's CAs alone", undefined, /CAs of its image alone/, /^set trustPeerCas to true in Pulumi\.cluster1\.yaml/],
  [
    "the stack's ConfigMap of before",
    mount(OURS, issue("old", { ca: true }).pem),
    /lacks CA CN=inter/,
    /^npx pulumi up/,
  ],
  ["somebody else's ConfigMap", mount("trusted-ca", ""), /ConfigMap trusted-ca lacks/, /trustedCA of proxy\/cluster/],
])("fails with %s, and says what to do", async (_, change, evidence, cure) => {
  const [outcome] = await said(change);
  expect(outcome).toMatchObject({
    state: "failed",
    evidence: expect.stringMatching(evidence) as string,
    cure: expect.stringMatching(cure) as string,
  });
});
