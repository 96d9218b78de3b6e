import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader, KubeObject } from "../../../components/cluster/cluster";
import { APPLIED, ownedAnnotations } from "../../../components/cluster/correction";
import { OWNED } from "../../../components/shared/names";
import { named, record } from "../../mocks";
import { clusterOf } from "../readers";
import { stops } from "../stops";

jest.mock("../../../components/shared/stopProgram", () => jest.requireActual<object>("../stops"));

const router = { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" };
const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" };
const metadata = { name: "secret-reader-binding", namespace: "ns" };
const identity = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata } as const;

/** The object in the cluster: as it was made, with what the API server adds, and with what somebody has changed. */
const binding = (changed: object = {}, annotations: Record<string, string> = {}): KubeObject => ({
  ...identity,
  metadata: { ...metadata, annotations, uid: "a1b2", resourceVersion: "41" },
  ...{ roleRef, subjects: [{ ...router, apiGroup: "" }], ...changed },
});

/** The annotations with which the object is declared, on a cluster as the reader shows it. */
async function declared(reader: ClusterReader, preview = false): Promise<unknown> {
  const seen = await record(
    () => {
      const component = new pulumi.ComponentResource("a:b:C", "it");
      const wanted = { ...identity, roleRef, subjects: [router] };
      const annotations = ownedAnnotations(reader, wanted, component, { more: "x" });
      new k8s.rbac.v1.RoleBinding("binding", { ...wanted, metadata: { ...metadata, annotations } });
    },
    { preview },
  );
  return (named(seen, "binding").inputs["metadata"] as KubeObject["metadata"])?.annotations;
}

it("leaves an object alone that is not there yet, or is as it was made", async () => {
  expect(await declared(clusterOf())).toEqual({ ...OWNED, more: "x" });
  expect(await declared(clusterOf(binding()))).toEqual({ ...OWNED, more: "x" });
});

it.each<[string, object]>([
  ["an entry that somebody has added to a list", { subjects: [router, { ...router, name: "other" }] }],
  ["an entry that somebody has changed", { subjects: [{ ...router, name: "other" }] }],
  ["an entry that somebody has taken away", { subjects: undefined }],
  ["a field that somebody has changed", { roleRef: { ...roleRef, name: "other" } }],
])("makes %s a change, for good, and the same one in a preview", async (_, changed) => {
  const live = clusterOf(binding(changed));
  expect(await declared(live)).toEqual({ ...OWNED, more: "x", [APPLIED]: "a1b2/41" });
  expect(await declared(live, true)).toEqual(await declared(live));
  const corrected = clusterOf(binding({}, { [APPLIED]: "before" }));
  expect(await declared(corrected)).toEqual({ ...OWNED, more: "x", [APPLIED]: "before" });
});

it("names an object that has a generation by that: its status changes all the time", async () => {
  const live = binding({ subjects: [] });
  live.metadata = { ...live.metadata, generation: 3 };
  expect(await declared(clusterOf(live))).toMatchObject({ [APPLIED]: "a1b2/3" });
});

it("ends the program, and declares nothing, where the object cannot be read", async () => {
  const reader = { ...clusterOf(), get: () => Promise.reject(new Error("cannot read RoleBinding")) };
  const seen = await record(
    () => {
      const component = new pulumi.ComponentResource("a:b:C", "it");
      const annotations = ownedAnnotations(reader, identity, component);
      new k8s.core.v1.ConfigMap("user", { metadata: { annotations } });
    },
    { stalls: true },
  );
  expect(seen.map(({ name }) => name)).toEqual(["it"]);
  expect(stops).toEqual(["cannot read RoleBinding"]);
});
