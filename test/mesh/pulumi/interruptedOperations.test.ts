import {
  describeOperation,
  interruptedOperations,
  noLongerWanted,
  type Operation,
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

test("an object that the run no longer wanted is named as people find it; what was created again, or is in no cluster, is not", () => {
  const updating = { ...object("gone"), type: "updating" };
  const left = noLongerWanted(state(["a", "b"], [object("a"), object("gone"), command, updating]));
  expect(left.map(describeOperation)).toEqual(["creating gone (Role gone-object)"]);
});
