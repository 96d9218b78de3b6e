import { scaleOf } from "../../../mesh/report/scale";
import { timeline } from "../../../mesh/report/timeline";
import { DAY, distance, HOUR, timeOf, YEAR } from "../../../mesh/report/moments";
import { after, AT, mesh } from "./given";

const now = Date.parse(AT);

describe("the scale", () => {
  const times = [now - 10 * YEAR, now - DAY, now + 90 * DAY, now + 10 * YEAR];

  it("shows a CA of a day and a root of ten years on one line", () => {
    const { place } = scaleOf(now, times);
    const lives = [place(now + DAY) - place(now), place(now + 90 * DAY) - place(now + DAY)];
    for (const life of lives) expect(life).toBeGreaterThan(0.1);
  });

  it("goes on in time, and stays on the line", () => {
    const { place } = scaleOf(now, times);
    const places = [-11 * YEAR, -10 * YEAR, -DAY, -HOUR, 0, HOUR, DAY, 10 * YEAR, 11 * YEAR].map((span) =>
      place(now + span),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect([places[0], places.at(-1)]).toEqual([0, 1]);
    expect(new Set(places.slice(1, -1)).size).toBe(7);
  });

  it("marks only times that are on it", () => {
    expect(scaleOf(now, [now + 8 * DAY, now - 2 * DAY]).ticks.map(({ label }) => label)).toEqual([
      "−1 d",
      "+6 h",
      "+1 d",
      "+7 d",
    ]);
  });
});

it.each([
  [3 * HOUR, "in 3 hours"],
  [47 * HOUR, "in 47 hours"],
  [89 * DAY, "in 89 days"],
  [3 * YEAR, "in 3 years"],
  [-90_000, "1 minute ago"],
  [-3 * DAY, "3 days ago"],
  [0, "in 0 minutes"],
])("says how far %d ms are", (span, text) => {
  expect(distance(AT, after(span))).toBe(text);
});

it("says in which zone a time is", () => {
  expect(timeOf("2026-11-27T14:15:30+01:00").text).toBe(
    '<time datetime="2026-11-27T13:15:30.000Z">2026-11-27 13:15 UTC</time>',
  );
});

it("says of what has ended, and of a renewal that did not come, that it is so", () => {
  const what = "certificate of the bundle endpoint";
  const endpoint = { kind: "endpoint", what, sha256: "" } as const;
  const given = mesh(1, {
    lifetimes: {
      cluster1: [
        { ...endpoint, notBefore: after(-90 * DAY), notAfter: after(-DAY * 3), renewal: after(-18 * DAY) },
        { ...endpoint, notBefore: after(-80 * DAY), notAfter: after(10 * DAY), renewal: after(-5 * DAY) },
      ],
    },
  });
  const rows = timeline(given)
    .text.split("<tr>")
    .map((row) =>
      row
        .replace(/<[^>]+>/g, "")
        .replace(/\s+/g, " ")
        .trim(),
    );
  expect(rows.slice(-2)).toEqual([
    `${what} ◆ ended 2026-11-24 13:15 UTC 3 days ago; renewal was due 18 days ago`,
    `${what} ◆ 2026-12-07 13:15 UTC in 10 days; renewal was due 5 days ago`,
  ]);
});

it("shows a time that is none as it is, without a line", () => {
  const lifetimes = {
    cluster1: [{ kind: "root" as const, what: "root", sha256: "", notBefore: "<yesterday>", notAfter: "<never>" }],
  };
  const { text } = timeline(mesh(1, { lifetimes }));
  expect(text).toContain("&lt;never&gt;");
  expect(text).not.toContain("<rect");
  expect(text).not.toContain("NaN");
});
