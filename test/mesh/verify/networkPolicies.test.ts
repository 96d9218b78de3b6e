/** Which NetworkPolicies are in the way of federation, and what verify says of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { inTheWay, type NetworkPolicy } from "../../../mesh/verify/networkPolicies";
import { type Cluster, faults, look, memberNamed, warnings } from "./fixture";

const POD = { "app.kubernetes.io/name": "spire-server" };
const policy = (name: string, spec: NetworkPolicy["spec"]): NetworkPolicy => ({ metadata: { name }, spec: spec ?? {} });
const offered = (file: string): NetworkPolicy =>
  parse(readFileSync(join(__dirname, "../../../docs/network", file), "utf8")) as NetworkPolicy;
const denyAll = policy("deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });

test("where nothing isolates the pod, nothing is in the way", () => {
  const others = policy("others", { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress", "Egress"] });
  expect(inTheWay([others], POD, [443])).toEqual({ ofRouters: [], ofPeers: [], closed: [] });
});

test("a default deny is in the way of both, until the offered rules are applied", () => {
  const ingress = offered("ingress.yaml");
  const egress = offered("egress.yaml");
  expect(inTheWay([denyAll], POD, [443])).toEqual({ ofRouters: ["deny"], ofPeers: ["deny"], closed: [443] });
  expect(inTheWay([denyAll, ingress], POD, [443])).toEqual({ ofRouters: [], ofPeers: ["deny"], closed: [443] });
  expect(inTheWay([denyAll, ingress, egress], POD, [443])).toEqual({ ofRouters: [], ofPeers: [], closed: [] });
  expect(inTheWay([denyAll, ingress, egress], POD, [443, 8443])).toMatchObject({ closed: [8443] });
});

test.each<[string, NonNullable<NetworkPolicy["spec"]>, boolean, boolean]>([
  ["a policy without types isolates ingress alone", {}, true, false],
  ["and egress where it has such rules", { egress: [] }, true, true],
  ["rules without sides and ports let through", { ingress: [{}], egress: [{}] }, false, false],
  ["the same namespace is not the router's", { ingress: [{ from: [{}] }] }, true, false],
  [
    "the older label of the router's namespace counts",
    {
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { "network.openshift.io/policy-group": "ingress" } } }] }],
    },
    false,
    false,
  ],
  [
    "by an expression as well",
    {
      ingress: [
        {
          from: [
            {
              namespaceSelector: {
                matchExpressions: [
                  { key: "policy-group.network.openshift.io/ingress", operator: "Exists" },
                  { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["default"] },
                  { key: "team", operator: "DoesNotExist" },
                ],
              },
            },
          ],
        },
      ],
    },
    false,
    false,
  ],
  [
    "every namespace is the router's too; another port is not the endpoint's",
    { ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8081 }, { port: 8443, protocol: "UDP" }] }] },
    true,
    false,
  ],
  [
    "a range of ports, and one by its name, which cannot be told",
    { ingress: [{ ports: [{ port: 8000, endPort: 9000 }] }], egress: [{ ports: [{ port: "https" }] }] },
    false,
    false,
  ],
  [
    "namespaces of this cluster are not elsewhere; addresses may be",
    { ingress: [{ from: [{ ipBlock: {} }] }], egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 443 }] }] },
    false,
    true,
  ],
])("%s", (_, spec, routers, peers) => {
  const { ofRouters, ofPeers } = inTheWay([policy("p", spec)], POD, [443]);
  expect([ofRouters, ofPeers]).toEqual([routers ? ["p"] : [], peers ? ["p"] : []]);
});

test("verify warns of it, and calls nobody unhealthy for it alone", async () => {
  const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
  const found = await look({
    change: ({ cluster1 }) => {
      const { objects } = cluster1 as Cluster;
      objects.push({
        ...object,
        ...denyAll,
        metadata: { name: "deny", namespace: "zero-trust-workload-identity-manager" },
      });
    },
  });
  expect([faults(found), warnings(found)]).toEqual([[], ["cluster1 MESH152"]]);
  const warning = found.members[0]?.checks.find(({ code }) => code === "MESH152");
  expect(warning).toMatchObject({ cure: expect.stringMatching(/ingress\.yaml && .*egress\.yaml/) as string });
});

test("the port of a peer's endpoint counts, where it is another one", async () => {
  const partner = {
    name: "partner",
    trustDomain: "partner.example.org",
    bundleEndpointUrl: "https://spire.partner.example.org:8443",
  };
  const found = await look({
    members: [memberNamed("cluster1", { peers: ["cluster2", partner] }), memberNamed("cluster2")],
    change: ({ cluster1 }) => {
      for (const { metadata, spec } of [denyAll, offered("ingress.yaml"), offered("egress.yaml")])
        cluster1?.objects.push({
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          spec: { ...spec, podSelector: {} },
          metadata: { ...metadata, namespace: "zero-trust-workload-identity-manager" },
        });
    },
  });
  expect(found.members[0]?.checks.find(({ code }) => code === "MESH152")).toMatchObject({
    state: "warn",
    evidence: expect.stringMatching(/reach port 8443 elsewhere$/) as string,
    cure: expect.stringMatching(/^add port 8443 to .*egress\.yaml; oc .*egress\.yaml$/) as string,
  });
});
