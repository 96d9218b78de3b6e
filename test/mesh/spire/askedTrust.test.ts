import { readAsked } from "../../../mesh/spire/askedTrust";
import { clusterOf } from "../../components/readers";

const trust = (name: string, trustDomain: string, className?: string) => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterFederatedTrustDomain",
  metadata: { name },
  spec: { trustDomain, className },
});

test("what makes SPIRE fetch a bundle is an object of the controller's class, or an entry of the SpireServer", async () => {
  const server = {
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { federation: { federatesWith: [{ trustDomain: "c" }] } },
  };
  const ours = trust("b-federation", "b", "zero-trust-workload-identity-manager-spire");
  const objects = [ours, trust("ignored", "x"), trust("other", "y", "another-class")];
  expect(await readAsked(clusterOf(...objects, server))).toEqual([
    { object: "ClusterFederatedTrustDomain b-federation", trustDomain: "b" },
    { object: "SpireServer cluster (spec.federation.federatesWith)", trustDomain: "c" },
  ]);
  expect(await readAsked(clusterOf())).toEqual([]);
});

test.each(["b", "spiffe://b", "spiffe://b/ns/x"])(
  "%s is trust domain b, to the controller as well",
  async (written) => {
    const object = trust("b-federation", written, "zero-trust-workload-identity-manager-spire");
    expect((await readAsked(clusterOf(object))).map(({ trustDomain }) => trustDomain)).toEqual(["b"]);
  },
);
