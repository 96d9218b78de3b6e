import { RouterSecretAccess } from "../../components/routerSecretAccess";
import { named, record } from "../mocks";
import { NAMESPACE } from "./given";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));

const program = (): unknown => new RouterSecretAccess("router", {});

useCluster(clusterOf());

it("grants the router one named secret and no wider read", async () => {
  expect(named(await record(program), "router-role").inputs).toEqual({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: {
      name: "secret-reader",
      namespace: NAMESPACE,
      annotations: { "pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true" },
    },
    rules: [
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: ["spire-server-federation-tls"],
        verbs: ["get", "list", "watch"],
      },
    ],
  });
});

it("grants it to the router's ServiceAccount alone", async () => {
  expect(named(await record(program), "router-binding").inputs).toEqual({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: {
      name: "secret-reader-binding",
      namespace: NAMESPACE,
      annotations: { "pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true" },
    },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" },
    subjects: [{ kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" }],
  });
});
