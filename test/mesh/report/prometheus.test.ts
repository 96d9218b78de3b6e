/** `verify -o prometheus`; UPDATE_GOLDEN=1 writes its golden file anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { failed } from "../../../mesh/verify/check";
import { prometheus } from "../../../mesh/report/prometheus";
import { selected } from "../../../mesh/verify/selection";
import type { Verification } from "../../../mesh/verify/verification";
import { after, AT, everyState, faultyMesh, mesh } from "./given";
import { parsed } from "./promText";

const GOLDEN = join(__dirname, "golden/3-faulty.prom");
const P = "spire_federation_";

/** The value of one series. */
const valueOf = (seen: Verification, name: string, labels: Record<string, string> = {}): number | undefined =>
  parsed(prometheus(seen)).find(
    (one) => one.name === P + name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value;

test("three members, one out of reach, one with an expired certificate", () => {
  const text = prometheus(faultyMesh());
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, "utf8"));
});

test("whatever the names are, it is in the format, each series once, and names come back as they were", () => {
  const name = fc.string({ unit: "binary", maxLength: 12 });
  fc.assert(
    fc.property(fc.array(name, { minLength: 3, maxLength: 3 }), name, (names, trustDomain) => {
      const { members, pairs, ...rest } = faultyMesh();
      const rename = (old: string): string => names[Number(old.at(-1)) - 1] ?? "";
      const text = prometheus({
        ...rest,
        version: trustDomain,
        members: members.map((one) => ({ ...one, member: rename(one.member), trustDomain })),
        pairs: pairs.map((one) => ({ ...one, member: rename(one.member), peer: rename(one.peer), trustDomain })),
        peers: [{ peer: rename("cluster1"), trustDomain, health: "unhealthy", checks: members[1]?.checks ?? [] }],
      });
      const samples = parsed(text);
      expect(new Set(samples.map(({ name: one, labels }) => JSON.stringify([one, labels]))).size).toBe(samples.length);
      const seen = samples.filter((one) => one.name === `${P}member_health`).map(({ labels }) => labels["member"]);
      const plain = names.filter((one) => /^[\P{C}\n\t]*$/u.test(one) && !/[\p{Zl}\p{Zp}]/u.test(one));
      expect(seen).toEqual(expect.arrayContaining(plain));
    }),
  );
});

test("text of a cluster is no label", () => {
  const secret = 'x509: {"say":"anything"}';
  const text = prometheus(mesh(2, { said: { cluster1: { MESH151: failed(secret, `fix ${secret}`) } } }));
  expect(text).not.toContain("anything");
  expect(text).toContain('code="MESH151",severity="failed"} 1');
});

test("unknown is neither healthy nor unhealthy", () => {
  const of = (member: string, health: string): number | undefined =>
    valueOf(faultyMesh(), "member_health", { member, health });
  expect([of("cluster3", "unknown"), of("cluster3", "unhealthy"), of("cluster3", "healthy")]).toEqual([1, 0, 0]);
  expect([of("cluster2", "unknown"), of("cluster2", "unhealthy")]).toEqual([0, 1]);
  expect(of("cluster1", "healthy")).toBe(1);
});

test("what was not seen has no series, rather than 0", () => {
  const seen = faultyMesh();
  const pair = { member: "cluster2", peer: "cluster1" };
  expect(valueOf(seen, "trust_end_timestamp_seconds", pair)).toBeUndefined();
  expect(valueOf(seen, "held_bundle_refreshed_timestamp_seconds", pair)).toBeUndefined();
  expect(valueOf(seen, "endpoint_certificate_not_after_timestamp_seconds", { member: "cluster3" })).toBeUndefined();
  expect(prometheus({ ...seen, at: "yesterday" })).not.toMatch(/NaN|verify_timestamp/);
});

test("of whom nothing was asked, nothing is said", () => {
  const left = selected(faultyMesh(), { peers: ["cluster2"], codes: ["MESH213"] });
  expect(valueOf(left, "member_health")).toBeUndefined();
  expect(valueOf(left, "pair_health", { member: "cluster1", peer: "cluster2", health: "unhealthy" })).toBe(1);
  expect(valueOf(left, "verify_exit_code")).toBe(1);
});

test("times are Unix seconds", () => {
  const seen = faultyMesh();
  const at = Date.parse(AT) / 1000;
  const pair = { member: "cluster1", peer: "cluster2" };
  expect(valueOf(seen, "verify_timestamp_seconds")).toBe(at);
  expect(valueOf(seen, "trust_end_timestamp_seconds", pair)).toBe(at + 20 * 3600);
  expect(valueOf(seen, "held_root_not_before_timestamp_seconds", pair)).toBe(at - 4 * 3600);
  expect(valueOf(seen, "held_bundle_refreshed_timestamp_seconds", pair)).toBe(at - 300);
  expect(valueOf(seen, "endpoint_certificate_not_after_timestamp_seconds", { member: "cluster2" })).toBe(
    Date.parse(after(-3 * 24 * 3_600_000)) / 1000,
  );
});

test("each finding is counted by code and severity", () => {
  const seen = everyState();
  const findings = parsed(prometheus(seen)).filter(({ name }) => name === `${P}findings`);
  const count = (severity: string): number => findings.filter(({ labels }) => labels["severity"] === severity).length;
  const checks = [...seen.members, ...seen.pairs].flatMap((one) => one.checks);
  for (const severity of ["failed", "pending", "unknown", "warn", "note"])
    expect([severity, count(severity)]).toEqual([severity, checks.filter(({ state }) => state === severity).length]);
  expect(count("failed")).toBeGreaterThan(0);
});
