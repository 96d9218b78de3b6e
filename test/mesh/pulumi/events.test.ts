import type { EngineEvent } from "../../../mesh/pulumi/workspace";
import { type Activity, idle, narrate, restartsSpire } from "../../../mesh/pulumi/events";

const after = (...events: object[]): Activity =>
  events.reduce<Activity>((activity, event) => narrate(activity, event as EngineEvent), idle);
const said = (severity: string, message: string): object => ({ diagnosticEvent: { severity, message } });
const step = (op: string, type: string, name: string): object => ({
  resourcePreEvent: { metadata: { op, type, urn: `urn:pulumi:cluster1::spire-federation::parent$${type}::${name}` } },
});

test("what a member waits for is what the program said last, without colours and the provider's noise", () => {
  const events = [
    step("create", "kubernetes:core/v1:Namespace", "cert-manager-namespace"),
    said("info", "<{%reset%}>waiting for Certificate x: Ready=False<{%reset%}>\n"),
    said("info", "Skipping await logic for x"),
  ];
  expect(after(...events).doing).toBe("waiting for Certificate x: Ready=False");
});

test("what a provider quotes is shown without the password in it", () => {
  const url = "cannot open postgres://u:geheim@db/spire";
  const { errors, warnings, doing } = after(said("error", url), said("warning", url), said("info", url));
  expect([...errors, ...warnings, doing]).toEqual(Array(3).fill("cannot open postgres://u:(not shown)@db/spire"));
});

test("a resource that is worked on is what it does now, and a step of the whole", () => {
  const activity = after(
    step("same", "a:b:Role", "r"),
    step("update", "kubernetes:rbac/v1:Role", "r"),
    step("read", "a:b:C", "c"),
  );
  expect(activity.doing).toBe("update Role r");
  expect(activity.steps).toEqual([{ op: "update", type: "kubernetes:rbac/v1:Role", name: "r" }]);
});

test("what a stack publishes becomes something else, though Pulumi calls the stack the same", () => {
  const result = (old: object, now: object): object => ({
    resOutputsEvent: {
      metadata: { op: "same", type: "pulumi:pulumi:Stack", urn: "u", old: { outputs: old }, new: { outputs: now } },
    },
  });
  const before = { federation: { trustDomain: "a" } };
  expect(after(result(before, before), result(before, before)).outputsChange).toBe(false);
  expect(after(result(before, before), result(before, { federation: { trustDomain: "b" } })).outputsChange).toBe(true);
  for (const [profile, changes] of [
    ["https_spiffe", false],
    ["https_web", true],
  ] as const) {
    const publishes = (caCertificates: string, roots: string) => ({ federation: { profile, caCertificates, roots } });
    const [old, rotated] = [publishes("a", "a"), publishes("b", "b")];
    expect(after(result(old, old), result(old, rotated)).outputsChange).toBe(changes);
    expect(after(result(old, old), result(old, publishes("a", "b"))).outputsChange).toBe(false);
  }
  expect(after(result(before, {}), result(before, before)).outputsChange).toBe(false);
});

test("a replacement is one step, with the paths by which it came", () => {
  const withPaths = {
    resourcePreEvent: { metadata: { op: "replace", type: "a:b:Role", urn: "u::r", detailedDiff: { x: {} } } },
  };
  const activity = after(
    step("create-replacement", "a:b:Role", "r"),
    step("create-replacement", "a:b:Role", "other"),
    withPaths,
    step("delete-replaced", "a:b:Role", "r"),
  );
  expect(activity.steps).toEqual([
    { op: "replace", type: "a:b:Role", name: "other" },
    { op: "replace", type: "a:b:Role", name: "r", paths: ["x"] },
  ]);
});

test("how much has changed is the engine's last word", () => {
  const changes = { create: 2, same: 3 };
  const activity = after(step("create", "a:b:Role", "r"), { summaryEvent: { resourceChanges: changes } });
  expect(activity.changes).toEqual(changes);
  expect(activity.steps).toHaveLength(1);
});

test("until that comes, as when the run is interrupted, it is what has ended", () => {
  const ended = (op: string, name: string): object => ({
    resOutputsEvent: { metadata: { op, type: "a:b:Role", urn: `u::${name}` } },
  });
  const component = ended("create", "c"); // comes again once the program has registered its outputs
  const events = [component, step("create", "a:b:Role", "begun"), ended("same", "s"), ended("create", "r"), component];
  expect(after(...events).changes).toEqual({ create: 2 });
  const replaced = ["create-replacement", "replace", "delete-replaced"].map((op) => ended(op, "r"));
  expect(after(...replaced, ended("refresh", "r"), ended("update", "u")).changes).toEqual({ replace: 1, update: 1 });
});

test("errors are kept, but for the engine's word that there were some", () => {
  expect(after(said("error", "Route x: refused"), said("error", "update failed")).errors).toEqual(["Route x: refused"]);
  expect(after(said("error", "x"), said("error", "x"), said("error", "update canceled")).errors).toEqual(["x"]);
});

test.each([
  ["mandatory", "errors"],
  ["advisory", "warnings"],
] as const)(
  "what a policy that is %s says is among the %s, with the resource and the rule",
  (enforcementLevel, where) => {
    const policyEvent = {
      resourceUrn: "urn:pulumi:cluster1::spire-federation::kubernetes:rbac.authorization.k8s.io/v1:Role::reader",
      policyName: "role-names-one-secret",
      message: "<{%reset%}>A Role grants one Secret.\nrules[0].resourceNames: is empty\n<{%reset%}>",
      enforcementLevel,
    };
    expect(after({ policyEvent })).toEqual({
      ...idle,
      [where]: [
        "Role reader: policy role-names-one-secret: A Role grants one Secret. rules[0].resourceNames: is empty",
      ],
    });
  },
);

test("warnings are kept, each once", () => {
  const events = [said("warning", "<{%reset%}>kept peers: c<{%reset%}>\n"), said("warning", "kept peers: c")];
  expect(after(...events).warnings).toEqual(["kept peers: c"]);
});

test("a change of the SpireServer restarts SPIRE, unless only its operator's Route comes of it", () => {
  const change = (...paths: string[]): object => ({
    resourcePreEvent: {
      metadata: {
        op: "update",
        type: "kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch",
        urn: "urn:pulumi:cluster1::spire-federation::x::spire-server-server",
        detailedDiff: Object.fromEntries(paths.map((path) => [path, { diffKind: "update", inputDiff: true }])),
      },
    },
  });
  const route = "spec.federation.managedRoute";
  const restarts = (...paths: string[]): boolean => after(change(...paths)).steps.some(restartsSpire);
  expect(restarts(route, 'metadata.annotations["spire-federation/applied"]')).toBe(false);
  // Of an entry of federatesWith that somebody has added, Pulumi sees no more.
  expect(restarts('metadata.annotations["spire-federation/applied"]')).toBe(true);
  expect([restarts(route), restarts(route, "spec.federation.federatesWith"), restarts()]).toEqual([false, true, true]);
});
