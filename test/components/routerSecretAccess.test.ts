import * as pulumi from "@pulumi/pulumi";
import type { KubeObject } from "../../components/cluster/cluster";
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

describe.each<[string, pulumi.Input<string>]>([
  ["value", "new-tls"],
  ["output", pulumi.output("new-tls")],
])("another secret, as %s,", (_, secretName) => {
  const serverWith = (externalSecretRef: string): KubeObject => ({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    ...{ spec: { federation: { bundleEndpoint: { httpsWeb: { servingCert: { externalSecretRef } } } } } },
  });
  const granting = (...resourceNames: string[]): KubeObject => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "secret-reader", namespace: NAMESPACE },
    ...{ rules: [{ resourceNames }] },
  });
  const readable = async (...live: KubeObject[]): Promise<unknown> => {
    useCluster(clusterOf(...live));
    const seen = await record(() => new RouterSecretAccess("router", { secretName }));
    return (named(seen, "router-role").inputs["rules"] as { resourceNames: string[] }[])[0]?.resourceNames;
  };

  it("is readable beside the one that the Route has until the SpireServer is changed, and then alone", async () => {
    expect(await readable(serverWith("old-tls"), granting("old-tls"))).toEqual(["new-tls", "old-tls"]);
    expect(await readable(serverWith("new-tls"), granting("new-tls", "old-tls"))).toEqual(["new-tls"]);
  });

  it("adds none that the Role does not grant", async () => {
    expect(await readable(serverWith("theirs"), granting("old-tls"))).toEqual(["new-tls"]);
    expect(await readable(serverWith("theirs"))).toEqual(["new-tls"]);
  });
});
