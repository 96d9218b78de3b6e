import {
  describeOperation,
  interruptedOperations,
  type Operation,
  settle,
} from "../../../mesh/pulumi/interruptedOperations";

const urn = (name: string): string => `urn:pulumi:cluster1::spire-federation::kubernetes:a/v1:B::${name}`;
const object = (name: string): Operation => ({
  type: "creating",
  resource: { urn: urn(name), inputs: { kind: "Role", metadata: { name: `${name}-object` } } },
});
const command: Operation = { type: "creating", resource: { urn: urn("fetch"), inputs: {} } };
const state = (resources: string[], pending: Operation[]) => ({
  version: 3,
  deployment: {
    manifest: { magic: "kept" },
    resources: resources.map((name) => ({ urn: urn(name) })),
    pending_operations: pending,
  },
});

test("a state without interrupted operations says so, one that was never written too", () => {
  expect(interruptedOperations(state(["a"], []))).toEqual([]);
  expect(interruptedOperations({ version: 3, deployment: {} })).toEqual([]);
});

describe("after a run", () => {
  const { settled, left } = settle(state(["a", "b"], [object("a"), object("gone"), command]));

  test("creations that were done again are settled, and those that made nothing in a cluster", () => {
    expect(interruptedOperations(settled)).toEqual([object("gone")]);
  });

  test("an object that is no longer wanted is left, and named as people find it", () => {
    expect(left.map(describeOperation)).toEqual(["creating gone (Role gone-object)"]);
  });

  test("the rest of the state is as it was", () => {
    expect(settle(state(["a", "b"], [object("a")])).settled).toEqual(state(["a", "b"], []));
  });
});
