import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { APPLIED, showAdditions } from "../../components/additions";
import type { ClusterReader, KubeObject } from "../../components/cluster";
import { OWNED } from "../../components/names";
import { named, record } from "../mocks";
import { clusterOf } from "./readers";

const router = { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" };
const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" };
const metadata = { name: "secret-reader-binding", namespace: "ns" };

/** The object in the cluster: as it was made, with what the API server adds, and with what somebody has changed. */
const binding = (changed: object = {}, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { ...metadata, annotations, uid: "a1b2", resourceVersion: "41" },
  ...{ roleRef, subjects: [{ ...router, apiGroup: "" }], ...changed },
});

/** The annotations with which the object is declared, on a cluster as the reader shows it. */
async function declared(reader: ClusterReader, annotations: Record<string, string> = OWNED): Promise<unknown> {
  const seen = await record(() => {
    const transformations = [showAdditions(reader)];
    const args = { metadata: { ...metadata, annotations }, roleRef, subjects: [router] };
    new k8s.rbac.v1.RoleBinding("binding", args, { transformations });
  });
  return (named(seen, "binding").inputs["metadata"] as KubeObject["metadata"])?.annotations;
}

it("leaves an object alone that is not there yet, or is as it was made", async () => {
  expect(await declared(clusterOf())).toEqual(OWNED);
  expect(await declared(clusterOf(binding()))).toEqual(OWNED);
});

it.each<[string, object]>([
  ["an entry that somebody has added to a list", { subjects: [router, { ...router, name: "other" }] }],
  ["an entry that somebody has changed", { subjects: [{ ...router, name: "other" }] }],
  ["an entry that somebody has taken away", { subjects: undefined }],
  ["a field that somebody has changed", { roleRef: { ...roleRef, name: "other" } }],
])("makes %s a change, for good", async (_, changed) => {
  expect(await declared(clusterOf(binding(changed)))).toEqual({ ...OWNED, [APPLIED]: "a1b2/41" });
  expect(await declared(clusterOf(binding({}, { [APPLIED]: "before" })))).toEqual({ ...OWNED, [APPLIED]: "before" });
});

it("names an object that has a generation by that: its status changes all the time", async () => {
  const live = binding({ subjects: [] });
  live.metadata = { ...live.metadata, generation: 3 };
  expect(await declared(clusterOf(live))).toEqual({ ...OWNED, [APPLIED]: "a1b2/3" });
});

it("asks for nothing that this program does not own", async () => {
  const reader = { ...clusterOf(), get: () => Promise.reject(new Error("was asked")) };
  expect(await declared(reader, { other: "x" })).toEqual({ other: "x" });
});

describe("a binding whose content depends on another object", () => {
  const seenBinding = async (preview: boolean) => {
    const live = binding({}, { [APPLIED]: "before" });
    const seen = await record(
      () => {
        const transformations = [showAdditions(clusterOf(live))];
        const role = new k8s.rbac.v1.Role("role", { metadata: { name: "secret-reader" } });
        const content = { roleRef: { ...roleRef, name: role.id.apply(() => "secret-reader") }, subjects: [router] };
        new k8s.rbac.v1.RoleBinding(
          "binding",
          { metadata: { ...metadata, annotations: OWNED }, ...content },
          { transformations },
        );
      },
      { preview },
    );
    return named(seen, "binding");
  };

  it("leaves its annotation open in a preview that does not know the content, so that a saved plan accepts any", async () => {
    const { inputs } = await seenBinding(true);
    const { annotations = {} } = inputs["metadata"] as { annotations?: Record<string, unknown> };
    expect({ ...annotations, [APPLIED]: pulumi.isUnknown(annotations[APPLIED]) }).toEqual({
      ...OWNED,
      [APPLIED]: true,
    });
  });

  it("is not made anew with it: its metadata doesn't depend on it", async () => {
    const { inputDependencies } = await seenBinding(false);
    expect(inputDependencies["roleRef"]).toEqual(["role"]);
    expect(inputDependencies["metadata"] ?? []).toEqual([]);
  });
});
