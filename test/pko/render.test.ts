/** The manifests for the Pulumi Kubernetes Operator, without a cluster. */
import { parseAllDocuments } from "yaml";
import type { DeployedMember } from "../../deploy/pko/deployed";
import type { Deployment, KubernetesObject } from "../../deploy/pko/objects";
import { render, toYaml } from "../../deploy/pko/render";
import { faultsOf, rules } from "./crd";

const member = (name: string, peer: string, more: Partial<DeployedMember> = {}): DeployedMember => ({
  name,
  project: "spire-federation",
  stacks: [{ id: `organization/spire-federation/${name}` }, { id: `organization/spire-federation/${peer}` }],
  files: [{ path: `Pulumi.${name}.yaml`, text: `config:\n  spire-federation:peers: [${peer}]\n` }],
  context: name,
  namesKubeconfig: false,
  ...more,
});
const members = [member("cluster1", "cluster2"), member("cluster2", "cluster1")];
const deployment: Deployment = {
  image: "registry.example.com/spire-federation:1",
  backend: "s3://states?region=eu-central-1",
  namespace: "spire-federation",
  resync: 300,
  inCluster: false,
};
const rendered = render(members, deployment);

interface Container {
  name: string;
  image?: string;
  command?: string[];
  env?: { name: string; value: string }[];
  envFrom?: object[];
  volumeMounts: { name: string }[];
}
interface PodSpec {
  initContainers: [Container];
  containers: [Container];
  volumes: {
    name: string;
    configMap?: { name: string; items?: { key: string; path: string }[] };
    secret?: { secretName: string };
  }[];
}
interface Stack extends KubernetesObject {
  spec: {
    stack: string;
    config?: object;
    serviceAccountName: string;
    destroyOnFinalize?: boolean;
    updateTemplate: object;
    workspaceTemplate: {
      spec: {
        env: { name: string; value: string }[];
        envFrom: object[];
        podTemplate: { metadata: { annotations: Record<string, string> }; spec: PodSpec };
      };
    };
  };
}

const ofKind = (objects: readonly KubernetesObject[], kind: string): KubernetesObject[] =>
  objects.filter((object) => object.kind === kind);
const stacksIn = (objects: readonly KubernetesObject[]): Stack[] => ofKind(objects, "Stack") as Stack[];
const podOf = (stack: Stack): PodSpec => stack.spec.workspaceTemplate.spec.podTemplate.spec;
const hashOf = (stack: Stack | undefined): string | undefined =>
  stack?.spec.workspaceTemplate.spec.podTemplate.metadata.annotations["spire-federation/stack-files"];

const inCluster = render([members[0] as DeployedMember], { ...deployment, inCluster: true });
const kubeconfigAndKms = render(
  [
    member("cluster1", "cluster2", {
      namesKubeconfig: true,
      stacks: [{ id: "acme/spire-federation/cluster1", secretsProvider: "awskms://alias/it's?region=eu" }],
    }),
  ],
  deployment,
);

describe("the operator's schema", () => {
  test.each([...stacksIn(rendered), ...stacksIn(inCluster), ...stacksIn(kubeconfigAndKms)])(
    "takes $metadata.name as it is",
    (stack) => {
      expect(faultsOf(stack)).toEqual([]);
    },
  );

  test("refuses a field that it does not have, and one of another type", () => {
    const [stack] = stacksIn(rendered);
    expect(faultsOf({ ...stack, spec: { ...stack?.spec, resyncSeconds: 300 } })).toHaveLength(1);
    expect(faultsOf({ ...stack, spec: { ...stack?.spec, resyncFrequencySeconds: "300" } })).toHaveLength(1);
  });

  test("limits names as the renderer does", () => {
    expect(rules).toEqual(["size(self.metadata.name) <= 42"]);
  });
});

test("each volume that is mounted is there, and each file of a ConfigMap too", () => {
  for (const stack of stacksIn(rendered)) {
    const { volumes, initContainers, containers } = podOf(stack);
    const mounted = [...initContainers, ...containers].flatMap(({ volumeMounts }) =>
      volumeMounts.map(({ name }) => name),
    );
    // The operator gives the volume `share`.
    expect(new Set(mounted)).toEqual(new Set(["share", ...volumes.map(({ name }) => name)]));
    for (const { configMap } of volumes) {
      if (configMap === undefined) continue;
      const found = ofKind(rendered, "ConfigMap").find(({ metadata }) => metadata.name === configMap.name);
      expect(Object.keys(found?.["data"] as object)).toEqual(configMap.items?.map(({ key }) => key));
    }
  }
});

test("the operator's container is only added to, under its own name", () => {
  const names = stacksIn(rendered).map((stack) => podOf(stack).containers.map(({ name }) => name));
  expect(names).toEqual([["pulumi"], ["pulumi"]]);
});

test("Kubernetes finds no variable to expand in a script", () => {
  const scripts = [...stacksIn(rendered), ...stacksIn(kubeconfigAndKms)].map((stack) =>
    podOf(stack).initContainers[0].command?.at(-1),
  );
  expect(scripts.filter((script) => script === undefined || script.includes("$("))).toEqual([]);
});

test("deleting a Stack destroys nothing", () => {
  expect(stacksIn(rendered).filter(({ spec }) => spec.destroyOnFinalize)).toEqual([]);
});

test("the operator finds nothing to rewrite, so that applying a manifest again starts no run", () => {
  for (const { spec } of stacksIn(rendered)) {
    // It writes the Stack back without the fields that are empty, and durations in Go's way.
    const empty = Object.entries(spec).filter(([, value]) => [false, 0, ""].includes(value as never));
    expect(empty).toEqual([]);
    expect(spec.updateTemplate).toEqual({ spec: { ttlAfterCompleted: "1h0m0s" } });
  }
});

test("a changed stack file replaces the workspace of that member alone", () => {
  const edited = { ...(members[0] as DeployedMember), files: [{ path: "Pulumi.cluster1.yaml", text: "config: {}\n" }] };
  const [one, two] = stacksIn(render([edited, members[1] as DeployedMember], deployment));
  const [before, same] = stacksIn(rendered);
  expect(hashOf(one)).not.toBe(hashOf(before));
  expect(two).toEqual(same);
});

test("a bundle in a folder of its own lies there again", () => {
  const files = [
    { path: "Pulumi.cluster1.yaml", text: "" },
    { path: "bundles/partner.json", text: "{}" },
  ];
  const [stack] = stacksIn(render([member("cluster1", "cluster2", { files })], deployment));
  const [volume] = stack === undefined ? [] : podOf(stack).volumes;
  expect(volume?.configMap?.items).toEqual([
    { key: "Pulumi.cluster1.yaml", path: "Pulumi.cluster1.yaml" },
    { key: "bundles__partner.json", path: "bundles/partner.json" },
  ]);
});

describe("on a hub", () => {
  test("each pod gets the credentials of its own member alone", () => {
    const secrets = stacksIn(rendered).map((stack) =>
      podOf(stack).volumes.flatMap(({ secret }) => secret?.secretName ?? []),
    );
    expect(secrets).toEqual([["kubeconfig-cluster1"], ["kubeconfig-cluster2"]]);
  });

  test("no container's own environment has the kubeconfig, which the agent would use, too", () => {
    const names = stacksIn(rendered).flatMap((stack) => stack.spec.workspaceTemplate.spec.env.map(({ name }) => name));
    expect(names).not.toContain("KUBECONFIG");
    expect(names).toContain("PULUMI_HOME");
  });

  test("a kubeconfig of the stack file gives way to the mounted one", () => {
    expect(stacksIn(kubeconfigAndKms)[0]?.spec.config).toEqual({ "spire-federation:kubeconfig": "/kube/config" });
    expect(stacksIn(rendered)[0]?.spec.config).toBeUndefined();
  });

  test("workspaces may ask who calls them, and nothing else", () => {
    const [binding, ...others] = ofKind(rendered, "ClusterRoleBinding");
    expect(others).toEqual([]);
    expect(binding).toMatchObject({
      roleRef: { kind: "ClusterRole", name: "system:auth-delegator" },
      subjects: [{ kind: "ServiceAccount", name: "workspace", namespace: "spire-federation" }],
    });
    const bound = ofKind(rendered, "RoleBinding").flatMap((one) => one["subjects"] as { name: string }[]);
    expect(bound.map(({ name }) => name)).toEqual(["nudge"]);
  });
});

describe("in the member's own cluster", () => {
  test("it is the deployer of docs/rbac, with the token that its pod has", () => {
    const [stack] = stacksIn(inCluster);
    expect(stack?.spec.serviceAccountName).toBe("deployer");
    expect(stack && podOf(stack).volumes.at(-1)).toEqual({ name: "kube", configMap: { name: "kubeconfig" } });
    expect([...ofKind(inCluster, "Secret"), ...ofKind(inCluster, "Namespace")]).toEqual([]);
  });

  test("the context is the one that the stack file names", () => {
    const found = ofKind(inCluster, "ConfigMap").find(({ metadata }) => metadata.name === "kubeconfig");
    const { config = "" } = found?.["data"] as { config?: string };
    expect(parseAllDocuments(config)[0]?.toJS()).toMatchObject({
      "current-context": "cluster1",
      contexts: [{ name: "cluster1", context: { cluster: "own", user: "own" } }],
    });
  });
});

test("a key of a cloud encrypts the stack from the beginning, and is found again", () => {
  const [stack] = stacksIn(kubeconfigAndKms);
  const script = stack && podOf(stack).initContainers[0].command?.at(-1);
  expect(script).toMatch(
    /^make_stack acme\/spire-federation\/cluster1 --secrets-provider 'awskms:\/\/alias\/it'\\''s\?region=eu'$/m,
  );
  expect(stack?.spec.workspaceTemplate.spec.env).toContainEqual({
    name: "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER",
    value: "true",
  });
});

test("the environment of a member alone wins over that of all, in both containers, and need not be there", () => {
  for (const [index, stack] of stacksIn(rendered).entries()) {
    const expected = [
      { secretRef: { name: "pulumi" } },
      { secretRef: { name: `environment-cluster${index + 1}`, optional: true } },
    ];
    expect(stack.spec.workspaceTemplate.spec.envFrom).toEqual(expected);
    expect(podOf(stack).initContainers[0].envFrom).toEqual(expected);
  }
});

test("the YAML says the same as the objects, without anchors", () => {
  const text = toYaml(rendered);
  expect(parseAllDocuments(text).map((document) => document.toJS() as unknown)).toEqual(rendered);
  expect(text).not.toMatch(/[&*]a\d/);
});
