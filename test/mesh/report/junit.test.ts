import { junit } from "../../../mesh/report/junit";
import { everyState, mesh } from "./given";

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

it("has a suite for each member and pair, and a case for each check", () => {
  const seen = mesh(2);
  const text = junit(seen);
  expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites>/);
  expect(count(text, /<testsuite\s/g)).toBe(4);
  const checks = [...seen.members, ...seen.pairs].flatMap((one) => one.checks);
  expect(count(text, /<testcase\s/g)).toBe(checks.length);
  expect(count(text, /<(failure|error)/g)).toBe(0);
});

it("fails what failed or is pending, and has an error for what could not be seen", () => {
  const checks = [...everyState().members, ...everyState().pairs].flatMap((one) => one.checks);
  const states = (...wanted: string[]): number => checks.filter(({ state }) => wanted.includes(state)).length;
  const text = junit(everyState());
  expect(count(text, /<failure\s/g)).toBe(states("failed", "pending"));
  expect(count(text, /<error\s/g)).toBe(states("unknown"));
  expect(count(text, /<skipped\s/g)).toBe(states("skipped"));
  expect(text).toContain("fix: oc logs spire-server-0 says why");
});

it("lets no text of a cluster become markup", () => {
  const seen = mesh(1, { said: { cluster1: { MESH151: `"'><evil/>` } } });
  expect(junit(seen)).toContain("&quot;&#39;&gt;&lt;evil/&gt;");
  expect(junit(seen)).not.toContain("<evil");
});
