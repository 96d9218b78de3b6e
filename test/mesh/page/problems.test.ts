import { problemsOf } from "../../../mesh/page/problems";
import { failed } from "../../../mesh/verify/check";
import { everyState, faultyMesh, healthyMesh, memberChecks, memberWith, unknown } from "./given";

it("finds nothing in a healthy mesh", () => {
  expect(problemsOf(healthyMesh(3))).toEqual([]);
});

it("puts first what most other checks wait for", () => {
  const problems = problemsOf(faultyMesh()).map(({ cases, holdsUp }) => [
    cases[0]?.whose,
    cases[0]?.outcome.code,
    holdsUp,
  ]);
  expect(problems).toEqual([
    // 3 of its own, 4 each of its two pairs
    [["cluster3"], "MESH101", 11],
    // 1 of its own, 1 of cluster1 -> cluster2; cluster3 -> cluster2 is laid to cluster3
    [["cluster2"], "MESH113", 2],
    [["cluster1 → cluster3"], "MESH203", 1],
  ]);
});

it("puts what failed before what is pending, and that before what could not be seen", () => {
  expect(problemsOf(everyState(4)).map(({ state }) => state)).toEqual(["failed", "pending", "unknown"]);
});

it("says a cure once, with all whom it helps", () => {
  const mesh = healthyMesh(3);
  const same = failed("it is older than the CA", "npx mesh up");
  mesh.members = mesh.members.map(({ member }) =>
    memberWith(member, memberChecks({ 112: same, 121: failed("none", "npx mesh up") })),
  );
  const [problem, ...others] = problemsOf(mesh);
  expect(others).toEqual([]);
  expect(problem?.cure).toBe("npx mesh up");
  expect(problem?.cases.map(({ whose, outcome }) => [outcome.code, whose])).toEqual([
    ["MESH112", ["cluster1", "cluster2", "cluster3"]],
    ["MESH121", ["cluster1", "cluster2", "cluster3"]],
  ]);
});

it("says one reason once for all that could not be seen", () => {
  const mesh = healthyMesh(1);
  const forbidden = unknown("pods is forbidden");
  mesh.members = [memberWith("cluster1", memberChecks({ 102: forbidden, 103: forbidden, 121: unknown("no shell") }))];
  expect(problemsOf(mesh).map(({ cases }) => cases.map(({ outcome }) => outcome.code))).toEqual([
    ["MESH102", "MESH103"],
    ["MESH121"],
  ]);
});
