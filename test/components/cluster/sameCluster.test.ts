/** A component never reads one cluster and writes to another. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { onProvidersCluster } from "../../../components/cluster/sameCluster";
import { withProvider } from "../../../components/cluster/clusterProvider";
import { clusterOf } from "../readers";

class Part extends pulumi.ComponentResource {
  constructor(opts: pulumi.ComponentResourceOptions, name = "part") {
    super("a:b:Part", name, {}, opts);
  }
}

const kubeSystem = (uid: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system", uid } });
const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n" } };
const cluster = { ...clusterOf(kubeSystem("here"), node), access: { context: "c1" } };
const asked: string[] = [];

/** @param uid of kube-system, as the provider reads it */
const provide = async (uid: string, preview = false): Promise<void> => {
  asked.length = 0;
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => {
        asked.push(name);
        return { id: name, state: { ...(inputs as object), metadata: { uid } } };
      },
      call: () => ({}),
    },
    "project",
    "stack",
    preview,
  );
};

const read = (part: Part): Promise<unknown> => onProvidersCluster("part", cluster, part).get("v1", "Node", "n");
const given = (): Part => new Part({ providers: [new k8s.Provider("given", { context: "c2" })] });

afterEach(() => pulumi.runtime.disconnect());

it("reads where its provider writes", async () => {
  await provide("here");
  expect(await read(given())).toBe(node);
  expect(asked).toContain("part-kube-system");
});

it("reads nothing where its provider writes to another cluster, and says what to do", async () => {
  await provide("there");
  await expect(read(given())).rejects.toThrow(
    /part: .*another cluster than --context c1.*give it context and kubeconfig/,
  );
});

it("compares nothing where it makes the provider itself, for its own parts too", async () => {
  await provide("there");
  const opts = withProvider("part-cluster", { context: "c1" });
  expect(await read(new Part(opts))).toBe(node);
  expect(await read(new Part({ parent: new Part(opts, "whole") }))).toBe(node);
  expect(asked).not.toContain("part-kube-system");
});

it("leaves Pulumi's own provider where nothing says which cluster it is", async () => {
  await provide("there");
  expect(withProvider("part-cluster", {})).toEqual({});
  expect(await read(new Part({}))).toBe(node);
});
