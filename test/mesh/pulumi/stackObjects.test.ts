import type { EngineEvent } from "../../../mesh/pulumi/workspace";
import { stackObjects } from "../../../mesh/pulumi/stackObjects";

const TYPE = "kubernetes:rbac.authorization.k8s.io/v1:Role";

function event(op: string, name: string, states: { old?: object; new?: object }, diffs?: string[]): EngineEvent {
  const state = (inputs: object | undefined): object | undefined => inputs && { custom: true, inputs };
  const urn = `urn:pulumi:cluster1::spire-federation::${TYPE}::${name}`;
  const metadata = { op, urn, type: TYPE, old: state(states.old), new: state(states.new), diffs };
  return { resourcePreEvent: { metadata } } as object as EngineEvent;
}

test("every resource is there once, with what the program asks for", () => {
  const objects = stackObjects([
    event("refresh", "kept", { old: { a: 1 } }),
    event("same", "kept", { old: { a: 1 }, new: { a: 2 } }),
    event("update", "other", { old: { a: 1 }, new: { a: 3 } }, ["a"]),
    event("create", "new", { new: { a: 4 } }),
    event("delete", "old", { old: { a: 5 } }),
  ]);
  expect(objects.map(({ op, name, asked, diffs }) => [name, op, asked, diffs])).toEqual([
    ["kept", "same", { a: 2 }, []],
    ["other", "change", { a: 3 }, ["a"]],
    ["new", "create", { a: 4 }, []],
    ["old", "delete", { a: 5 }, []],
  ]);
});

test("a replacement is one change, whichever of its steps comes first", () => {
  const steps = [
    event("create-replacement", "role", { old: { a: 1 }, new: { a: 2 } }, ["a"]),
    event("replace", "role", { old: { a: 1 }, new: { a: 2 } }, ["a"]),
    event("delete-replaced", "role", { old: { a: 1 } }),
  ];
  for (const order of [steps, [...steps].reverse()]) {
    expect(stackObjects(order)).toEqual([{ op: "change", type: TYPE, name: "role", asked: { a: 2 }, diffs: ["a"] }]);
  }
});

test("components, providers and the stack itself are nobody's objects", () => {
  const component = event("create", "component", { new: {} });
  if (component.resourcePreEvent?.metadata.new) component.resourcePreEvent.metadata.new.custom = false;
  const provider = event("update", "cluster", { new: {} });
  if (provider.resourcePreEvent) provider.resourcePreEvent.metadata.type = "pulumi:providers:kubernetes";
  expect(stackObjects([component, provider, {} as EngineEvent])).toEqual([]);
});
