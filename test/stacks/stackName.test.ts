import * as fc from "fast-check";
import { parseStackName, qualified, shortName } from "../../stacks/stackName";
import { SELF } from "./fixtures";

const short = (text: string): string | undefined => {
  const name = parseStackName(text, SELF);
  return name && `${qualified(name)} is ${shortName(name, SELF)}`;
};

it.each([
  ["cluster2", "organization/spire-federation/cluster2 is cluster2"],
  ["organization/spire-federation/cluster2", "organization/spire-federation/cluster2 is cluster2"],
  ["organization/other/cluster2", "organization/other/cluster2 is other-cluster2"],
  ["other/cluster2", "organization/other/cluster2 is other-cluster2"],
  ["acme/spire-federation/cluster2", "acme/spire-federation/cluster2 is acme-spire-federation-cluster2"],
  ["Prod_EU.1", "organization/spire-federation/Prod_EU.1 is prod-eu-1"],
])("%s is the stack %s in its objects' names", (text, expected) => {
  expect(short(text)).toBe(expected);
});

it.each(["", "organization/b", "a/b/c/d", "a b", "a//c", "___", "a/b/.."])("%j names no stack", (text) => {
  expect(parseStackName(text, SELF)).toBeUndefined();
});

it("gives every stack a name that Kubernetes takes", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/), { minLength: 1, maxLength: 3 }), (parts) => {
      const name = parseStackName(parts.join("/"), SELF);
      if (name !== undefined) expect(shortName(name, SELF)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }),
  );
});
