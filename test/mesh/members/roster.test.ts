import { idOf } from "../../../mesh/members/identity";
import { rosterOf } from "../../../mesh/members/roster";
import { cloudOrganizations, type Organizations } from "../../../mesh/pulumi/organization";

const PROJECT = "spire-federation";
const folder: Organizations = { several: false, home: "organization", having: () => [] };

/** Pulumi Cloud with these stacks, where a short name is one of acme. */
const cloud = (...stacks: string[]): Organizations =>
  cloudOrganizations(
    PROJECT,
    "jo",
    "acme\n",
    stacks.map((name) => ({ name })),
  );

const roster = (files: string[], names: string[], organizations: Organizations): unknown => {
  const { all, named, unknown } = rosterOf(files, names, PROJECT, organizations);
  return { all: all.map(idOf), named: named.map(idOf), unknown };
};

test("in a folder or an object store all stacks are of the one organization", () => {
  const names = ["cluster.1", "spire-federation/Prod_EU", "organization/Prod_EU", "acme/cluster.1"];
  expect(roster(["Prod_EU", "cluster.1"], names, folder)).toEqual({
    all: ["organization/spire-federation/Prod_EU", "organization/spire-federation/cluster.1"],
    named: ["organization/spire-federation/cluster.1", "organization/spire-federation/Prod_EU"],
    unknown: ["acme/cluster.1"],
  });
});

test("on Pulumi Cloud a stack is of the default organization, or of the one where it is", () => {
  const found = roster(
    ["a", "b", "new"],
    [],
    cloud("acme/spire-federation/a", "beta/spire-federation/a", "beta/spire-federation/b", "beta/other/new"),
  );
  expect(found).toMatchObject({
    all: ["acme/spire-federation/a", "beta/spire-federation/b", "acme/spire-federation/new"],
  });
});

test("the command line may name the same project of another organization", () => {
  const organizations = cloud("acme/spire-federation/a", "beta/spire-federation/a");
  for (const name of ["beta/spire-federation/a", "beta/a"])
    expect(roster(["a"], [name], organizations)).toEqual({
      all: ["beta/spire-federation/a"],
      named: ["beta/spire-federation/a"],
      unknown: [],
    });
  for (const name of ["a", "spire-federation/a", "acme/a"])
    expect(roster(["a"], [name], organizations)).toMatchObject({ named: ["acme/spire-federation/a"] });
});

test("a stack that may be either of two is not guessed", () => {
  const both = cloud("beta/spire-federation/a", "gamma/spire-federation/a");
  expect(() => roster(["a"], [], both)).toThrow(/^a: .*beta\/spire-federation\/a or gamma\/spire-federation\/a/);
  expect(() => roster(["a"], ["acme/a", "beta/a"], both)).toThrow(/^a: .*acme\/.* or beta\//);
});

test("without a default organization Pulumi takes the user's own", () => {
  expect(cloudOrganizations(PROJECT, "jo", "No Default Org Specified\n", []).home).toBe("jo");
});
