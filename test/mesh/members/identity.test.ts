import * as fc from "fast-check";
import { fromId, type Home, idOf, labelOf, means } from "../../../mesh/members/identity";
import { meanings, parseStackName, shortName, type StackName } from "../../../stacks/stackName";

const part = fc.stringMatching(/^[A-Za-z0-9_.-]{0,6}[A-Za-z0-9][A-Za-z0-9_.-]{0,6}$/);
/** Few names, so that organizations, projects and stacks are called alike every now and then. */
const some = fc.oneof(fc.constantFrom("acme", "mesh", "Prod_EU.1", "cluster.1"), part);
const homes: fc.Arbitrary<Home> = fc.record({ organization: some, project: some });
const names: fc.Arbitrary<StackName> = fc.record({ organization: some, project: some, stack: some });
const selfOf = (home: Home): StackName => ({ ...home, stack: "self" });

describe("the label of a stack", () => {
  test("is read as that stack, in peers and on the command line", () => {
    fc.assert(
      fc.property(names, homes, (name, home) => {
        const label = labelOf(name, home);
        expect(parseStackName(label, selfOf(home))).toEqual(name);
        expect(means(label, name)).toBe(true);
      }),
    );
  });

  test("is another one for every other stack", () => {
    fc.assert(
      fc.property(names, names, homes, (one, other, home) => {
        expect(labelOf(one, home) === labelOf(other, home)).toBe(idOf(one) === idOf(other));
      }),
    );
  });

  test("of a stack of this project is its own name, or its full one: Pulumi takes both", () => {
    fc.assert(
      fc.property(names, homes, (name, { project }) => {
        const own = { ...name, project };
        expect([own.stack, idOf(own)]).toContain(labelOf(own, { organization: "acme", project }));
      }),
    );
  });
});

test("an id tells its stack", () => {
  fc.assert(
    fc.property(names, (name) => {
      expect(fromId(idOf(name))).toEqual(name);
    }),
  );
});

test("the same stack has the same objects, however it is written", () => {
  fc.assert(
    fc.property(names, homes, (name, home) => {
      const self = selfOf(home);
      const written = [name.stack, `${name.project}/${name.stack}`, idOf(name)];
      const read = written
        .flatMap((text) => parseStackName(text, self) ?? [])
        .filter((one) => idOf(one) === idOf(name));
      expect(read.length).toBeGreaterThan(0);
      expect(new Set(read.map((one) => shortName(one, self))).size).toBe(1);
    }),
  );
});

test("a name that Pulumi reads in another way than people do is not guessed", () => {
  const self = { organization: "acme", project: "mesh", stack: "a" };
  expect(meanings("acme/b", self).map(idOf)).toEqual(["acme/acme/b", "acme/mesh/b"]);
  expect(parseStackName("acme/b", self)).toBeUndefined();
  expect(parseStackName("mesh/b", self)).toEqual({ ...self, stack: "b" });
});
