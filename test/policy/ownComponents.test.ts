/** What the components of this project create passes all rules. */
import * as k8s from "@pulumi/kubernetes";
import * as components from "../../components";
import { RULES } from "../../policy/rules";
import { DOMAIN, HOST, peer, ready } from "../components/given";
import { useCluster } from "../components/openedCluster";
import { record } from "../mocks";
import { resource, said } from "./cases";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("../components/openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("../components/endpoints"));

const program = (): void => {
  useCluster(ready);
  const opts = { provider: new k8s.Provider("cluster", { context: "cluster1", clusterIdentifier: DOMAIN }) };
  const issuer = { type: "ca", selfSigned: true } as const;
  new components.CertManagerInstall("cert-manager", { context: "c" }, opts);
  new components.FederationCertificate("certificate", { host: HOST, issuer, renewJitterHours: 24 }, opts);
  new components.RouterSecretAccess("router", {}, opts);
  new components.FederatedTrustDomain("peer", { peer }, opts);
  const servingCert = { externalSecretRef: "spire-server-federation-tls" };
  new components.SpireFederationServer("server", { trustDomain: DOMAIN, host: HOST, servingCert }, opts);
};

test("no rule has anything to say of the components", async () => {
  const seen = await record(program);
  const resources = seen.map(({ type, name, inputs }) => resource(type, inputs, { name, clusterIdentifier: DOMAIN }));
  const kinds = new Set(resources.map(({ type }) => type.split(":").at(-1)));
  // Otherwise the rules would have had nothing to judge.
  expect([...kinds]).toEqual(
    expect.arrayContaining(["Role", "RoleBinding", "Certificate", "SpireServerPatch", "ClusterFederatedTrustDomain"]),
  );
  expect(RULES.flatMap((rule) => said(rule, resources))).toEqual([]);
});
