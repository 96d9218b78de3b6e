/** deploy/grafana/federation.json asks only for what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rulesOf } from "../../../mesh/alerts/rules";
import { prometheus } from "../../../mesh/report/prometheus";
import { faultyMesh } from "../report/given";
import { parsed } from "../report/promText";
import { namesIn, PANELS, QUERIES, VARIABLES } from "./dashboard";

/** What the page of `verify` has, with the labels of each. */
const page = parsed(prometheus(faultyMesh()));
/** What alerts ask SPIRE for; test/lab/two/alerts.test.ts sees that a SPIRE server has it. */
const watched = rulesOf({
  member: "a",
  caValidity: 86_400,
  peers: [{ name: "b", trustDomain: "b.example", refreshHint: 300 }],
}).flatMap(({ expr }) => namesIn(expr));

test("it has ten panels at most, each with a query, and no two overlap", () => {
  expect(PANELS.length).toBeLessThanOrEqual(10);
  for (const { targets } of PANELS) expect(targets.length).toBeGreaterThan(0);
  const cells = PANELS.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

test.each([...QUERIES, ...VARIABLES])("%s asks for metrics that verify or SPIRE exposes", (query) => {
  const names = namesIn(query);
  expect(names).not.toEqual([]);
  const known = [...page.map(({ name }) => name), ...watched];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test.each(QUERIES)("%s asks for labels that the metric has", (query) => {
  for (const [, name = "", matchers = ""] of query.matchAll(/(spire_federation_\w+)\{([^}]*)\}/g)) {
    const labels = page.filter((one) => one.name === name).flatMap((one) => Object.keys(one.labels));
    for (const [, label] of matchers.matchAll(/(\w+)(?:=~|!=|=)"/g)) expect(labels).toContain(label);
  }
});

test("each metric of verify that says when something ends or how well it is has its place", () => {
  const asked = QUERIES.flatMap(namesIn);
  const shown = page.map(({ name }) => name).filter((name) => /_health$|trust_end|_refreshed_|findings/.test(name));
  // Its health is that of its checks, and they are shown by code.
  const byCode = ["spire_federation_member_health", "spire_federation_peer_health"];
  expect([...new Set(shown)].filter((name) => !asked.includes(name) && !byCode.includes(name))).toEqual([]);
});

test("the page names where it is", () => {
  expect(readFileSync(join(__dirname, "../../../docs/monitoring.md"), "utf8")).toContain(
    "](../deploy/grafana/federation.json)",
  );
});
