import { problemsOf } from "../../../mesh/verify/problems";
import { failed } from "../../../mesh/verify/check";
import { everyState, faultyMesh, GRANT, mesh, refresh, RENEW } from "../report/given";

it("finds nothing in a healthy mesh", () => {
  expect(problemsOf(mesh(3))).toEqual([]);
});

it("puts first what failed, and of that what most other checks wait for", () => {
  const problems = problemsOf(faultyMesh());
  expect(problems.map(({ cases }) => [cases[0]?.whose[0], cases[0]?.outcome.code])).toEqual([
    ["cluster2", "MESH114"],
    ["cluster2 -> cluster1", "MESH211"],
    ["cluster3", "MESH101"],
  ]);
  const waiting = problems.filter(({ state }) => state === "failed").map(({ holdsUp }) => holdsUp);
  expect(waiting).toEqual([...waiting].sort((a, b) => b - a));
});

it("counts as waiting what was not asked in the member and in its pairs, both ways", () => {
  const skipped = [...faultyMesh().members, ...faultyMesh().pairs]
    .filter((one) => Object.values(one).includes("cluster3"))
    .flatMap(({ checks }) => checks)
    .filter(({ state }) => state === "skipped");
  expect(problemsOf(faultyMesh()).at(-1)?.holdsUp).toBe(skipped.length);
});

it("puts what failed before what is pending, that before what could not be seen, and notes last", () => {
  const states = new Set(problemsOf(everyState()).map(({ state }) => state));
  expect([...states]).toEqual(["failed", "pending", "unknown", "note"]);
});

it("says a note once, with what each member can do", () => {
  const [one, ...more] = problemsOf(
    mesh(2, { said: { cluster1: { MESH124: GRANT("cluster1") }, cluster2: { MESH124: GRANT("cluster2") } } }),
  );
  expect(more).toEqual([]);
  expect(one).toMatchObject({ state: "note", holdsUp: 0, cases: [{ whose: ["cluster1", "cluster2"] }] });
  expect(one?.cures).toEqual([
    { whose: ["cluster1"], text: "oc --context cluster1 get secrets" },
    { whose: ["cluster2"], text: "oc --context cluster2 get secrets" },
  ]);
});

it("says a cure once, with all whom it helps", () => {
  const older = {
    MESH112: failed("it is older than the CA", "npx spire-federation up"),
    MESH121: failed("none", "npx spire-federation up"),
  };
  const problems = problemsOf(mesh(3, { said: { cluster1: older, cluster2: older, cluster3: older } }));
  expect(problems.map(({ cures }) => cures)).toEqual([
    [{ whose: ["cluster1", "cluster2", "cluster3"], text: "npx spire-federation up" }],
  ]);
  expect(problems[0]?.cases.map(({ whose, outcome }) => [outcome.code, whose])).toEqual([
    ["MESH112", ["cluster1", "cluster2", "cluster3"]],
    ["MESH121", ["cluster1", "cluster2", "cluster3"]],
  ]);
});

it("takes a peer's bundle that reaches nobody as a consequence of its endpoint, whose cure is theirs", () => {
  const [first] = problemsOf(faultyMesh(12));
  const members = ["cluster1", ...Array.from({ length: 9 }, (_, index) => `cluster${index + 4}`)];
  expect(first?.consequences.map(({ whose, outcome }) => [outcome.code, whose])).toEqual(
    members.map((member) => ["MESH213", [`${member} -> cluster2`]]),
  );
  expect(first?.cures).toEqual([{ whose: ["cluster2"], text: RENEW }]);
});

it("takes the same in several pairs with one peer for one problem, with the cure of each", () => {
  const members = ["cluster1", "cluster3", "cluster4"];
  const lost = (member: string) => ({ MESH213: failed("no poll", refresh(member, "cluster2")) });
  const said = Object.fromEntries(members.map((member) => [`${member} cluster2`, lost(member)]));
  expect(problemsOf(mesh(4, { said })).map(({ cures }) => cures)).toEqual([
    members.map((member) => ({ whose: [`${member} -> cluster2`], text: refresh(member, "cluster2") })),
  ]);
});

it("takes clusters that cannot be reached for one problem, each with its reason and its cure", () => {
  const away = (member: string) => ({
    MESH101: {
      state: "unknown",
      evidence: `connect ETIMEDOUT ${member}`,
      cure: `oc --context ${member} version`,
    } as const,
  });
  const problems = problemsOf(mesh(2, { said: { cluster1: away("cluster1"), cluster2: away("cluster2") } }));
  expect(problems.map(({ cases }) => cases.map(({ outcome }) => outcome.evidence))).toEqual([
    ["connect ETIMEDOUT cluster1", "connect ETIMEDOUT cluster2"],
  ]);
  expect(problems[0]?.cures).toHaveLength(2);
});

it("takes the same in pairs with several peers for several problems", () => {
  const lost = (cure: string) => ({ MESH213: failed("no poll", cure) });
  expect(
    problemsOf(mesh(3, { said: { "cluster1 cluster2": lost("a"), "cluster1 cluster3": lost("b") } })),
  ).toHaveLength(2);
});

it("says one reason once for all that could not be seen", () => {
  const forbidden = "pods is forbidden";
  const problems = problemsOf(
    mesh(1, { said: { cluster1: { MESH122: forbidden, MESH136: forbidden, MESH303: "no shell" } } }),
  );
  expect(problems.map(({ cases }) => cases.map(({ outcome }) => outcome.code))).toEqual([
    ["MESH122", "MESH136"],
    ["MESH303"],
  ]);
});

it("has the cure of what the endpoint and the cluster both say once", () => {
  expect(
    problemsOf(faultyMesh())
      .flatMap(({ cures }) => cures)
      .filter(({ text }) => text === RENEW),
  ).toHaveLength(1);
});
