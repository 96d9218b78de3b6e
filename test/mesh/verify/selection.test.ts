/** What is left out changes the verdict only as far as something else was checked. */
import fc from "fast-check";
import { passes } from "../../../mesh/verify/check";
import { memberChecks, pairChecks } from "../../../mesh/verify/checks/all";
import { peersNamed, refuseUnasked, selected } from "../../../mesh/verify/selection";
import { printSummary } from "../../../mesh/verify/summaryText";
import { healthOf, subjectsOf, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { FAULTS } from "./faults";
import { type Cluster, look, memberNamed, NAMES } from "./fixture";

const away = (): Promise<Verification> =>
  look({
    change: (clusters) => {
      for (const cluster of Object.values(clusters)) cluster.version = () => Promise.reject(new Error("no route"));
    },
  });

test("of whom nothing was checked nothing is known", () => {
  expect(healthOf([])).toBe("unknown");
});

test("a selection that leaves nothing is no success, whoever is down", async () => {
  for (const seen of [await away(), await look()]) {
    const nothing = selected(seen, { peers: ["nobody"], codes: ["MESH211"] });
    expect(verifyExit(nothing)).toBe(3);
    expect(printSummary(nothing)).not.toContain("healthy");
  }
});

test("who was left out does not make the rest unknown", async () => {
  const seen = selected(await look(), { peers: [], codes: ["MESH211"] });
  expect(verifyExit(seen)).toBe(0);
  expect(printSummary(seen)).not.toContain("unknown");
});

test("no selection turns a bad verdict into a good one, unless something that it names passed", async () => {
  const seen = await Promise.all([
    away(),
    ...FAULTS.map(([, change]) =>
      look({
        change: (clusters) => {
          change(clusters["cluster1"] as Cluster, clusters);
        },
      }),
    ),
  ]);
  const codes = [...memberChecks, ...pairChecks].map(({ code }) => code);
  fc.assert(
    fc.property(
      fc.constantFrom(...seen),
      fc.subarray([...NAMES, "nobody"]),
      fc.subarray(codes, { maxLength: 3 }),
      (verification, peers, some) => {
        const left = selected(verification, { peers, codes: some });
        const checks = subjectsOf(left).flatMap((one) => one.checks);
        const isWell = verifyExit(left) === 0;
        if (isWell) expect(checks.some(({ state }) => passes(state))).toBe(true);
        if (isWell) expect(checks.filter(({ state }) => state === "failed" || state === "unknown")).toEqual([]);
      },
    ),
    { numRuns: 1000 },
  );
});

describe("names on the command line", () => {
  const members = NAMES.map((name) => memberNamed(name));

  test.each(["cluster2", "organization/spire-federation/cluster2", "spire-federation/cluster2"])("%s", (name) => {
    expect(peersNamed([name], members)).toEqual(["cluster2"]);
  });

  test("nobody's peer is refused, with those that there are", () => {
    expect(() => peersNamed(["cluster2", "typo"], members)).toThrow(
      "typo: no such peer; there are cluster1, cluster2, cluster3",
    );
  });

  test.each([
    ["MESH401", "MESH401 is asked only by --probe"],
    ["MESH106", "MESH106 is asked only by precheck"],
  ] as const)("%s is refused where it is not asked", (code, message) => {
    expect(() => {
      refuseUnasked([code], { precheck: false, probe: false });
    }).toThrow(message);
  });

  test("they are taken where they are asked", () => {
    refuseUnasked(["MESH401", "MESH211"], { precheck: false, probe: true });
    refuseUnasked(["MESH106"], { precheck: true, probe: false });
    expect(() => {
      refuseUnasked(["MESH211"], { precheck: true, probe: false });
    }).toThrow("MESH211 is not asked");
  });
});
