import { CertManagerInstall, type CertManagerInstallArgs } from "../../components/certManagerInstall";
import { named, record, valueOf, type Seen } from "../mocks";
import { ready, silent } from "./given";

const args: CertManagerInstallArgs = {
  reader: ready,
  installed: { state: "absent" },
  stack: "cluster1",
  access: { context: "c1" },
};

const install = (changed: Partial<CertManagerInstallArgs> = {}): Promise<Seen[]> =>
  record(() => new CertManagerInstall("cm", { ...args, ...changed }), { stalls: changed.reader === silent });

it("has OLM ask for approval where the config says so", async () => {
  const seen = await install({ installPlanApproval: "Manual" });
  expect(named(seen, "cm-subscription").inputs["spec"]).toMatchObject({ installPlanApproval: "Manual" });
});

it.each(["absent", "ours"] as const)("makes the procedure's three objects when the operator is %s", async (state) => {
  const seen = await install({ installed: { state } });
  expect(seen.map(({ type }) => type)).toEqual([
    "spire-federation:index:CertManagerInstall",
    "kubernetes:core/v1:Namespace",
    "kubernetes:operators.coreos.com/v1:OperatorGroup",
    "kubernetes:operators.coreos.com/v1alpha1:Subscription",
  ]);
  expect(named(seen, "cm-namespace").inputs).toMatchObject({ metadata: { name: "cert-manager-operator" } });
  expect(named(seen, "cm-group").inputs).toMatchObject({
    metadata: { name: "openshift-cert-manager-operator", namespace: "cert-manager-operator" },
    spec: { upgradeStrategy: "Default" },
  });
  expect(named(seen, "cm-subscription").inputs).toMatchObject({
    metadata: {
      name: "openshift-cert-manager-operator",
      namespace: "cert-manager-operator",
      annotations: {
        "spire-federation/stack": "cluster1",
        "pulumi.com/skipAwait": "true",
        "pulumi.com/patchForce": "true",
      },
    },
  });
  expect(named(seen, "cm-subscription").inputs["spec"]).toEqual({
    source: "redhat-operators",
    sourceNamespace: "openshift-marketplace",
    name: "openshift-cert-manager-operator",
    channel: "stable-v1",
  });
});

it("takes channel and catalog from its arguments", async () => {
  const seen = await install({ channel: "stable-v1.18", source: "mirror", sourceNamespace: "catalogs" });
  expect(named(seen, "cm-subscription").inputs["spec"]).toEqual({
    source: "mirror",
    sourceNamespace: "catalogs",
    name: "openshift-cert-manager-operator",
    channel: "stable-v1.18",
  });
});

it.each<CertManagerInstallArgs["installed"]>([
  { state: "foreign", subscription: { namespace: "a", name: "cm" } },
  { state: "plain", namespace: "cert-manager" },
])("declares nothing of what others have installed: %j", async (installed) => {
  expect((await install({ installed, reader: silent })).map(({ name }) => name)).toEqual(["cm"]);
});

it("makes the Subscription last, and keeps all of it on destroy by default", async () => {
  const seen = await install();
  expect(named(seen, "cm-group").dependencies).toEqual(["cm-namespace"]);
  expect(named(seen, "cm-subscription").dependencies).toEqual(["cm-group"]);
  expect(seen.slice(1).map(({ retainOnDelete }) => retainOnDelete)).toEqual([true, true, true]);
});

it("removes all of it on destroy when asked: the Subscription first, then its version, then their namespace", async () => {
  const seen = await install({ removeOnDestroy: true });
  expect(seen.map(({ retainOnDelete }) => retainOnDelete)).not.toContain(true);
  expect(named(seen, "cm-subscription").dependencies).toEqual(["cm-group", "cm-removal"]);
  expect(named(seen, "cm-removal").dependencies).toEqual(["cm-group"]);
  expect(named(seen, "cm-removal").inputs).toEqual({
    delete: `node --eval "require('spire-federation/remove-cert-manager')"`,
    environment: { KUBE_CONTEXT: "c1" },
    logging: "stderr",
  });
});

it("is ready once cert-manager runs, and not before", async () => {
  let ended = false;
  await record(
    () => {
      new CertManagerInstall("cm", { ...args, reader: silent }).ready.apply(() => (ended = true));
    },
    { stalls: true },
  );
  expect(ended).toBe(false);
  await record(async () => {
    const component = new CertManagerInstall("cm", args);
    expect(await valueOf(component.ready)).toBe(component);
  });
});

it("refuses names that are none, all at once", async () => {
  await record(() => {
    expect(
      () => new CertManagerInstall("cm", { ...args, channel: "Stable v1", source: "", sourceNamespace: "A" }),
    ).toThrow(/channel: "Stable v1"[^]*source: ""[^]*sourceNamespace: "A"/);
  });
});
