/** Whether peers learn of a new key in time. */
import * as fc from "fast-check";
import { parseDuration } from "../../../components/shared/duration";
import {
  activationLead,
  judgeKeyTimes,
  keyLivesOf,
  type KeyTimes,
  type KeyTiming,
  preparationLead,
} from "../../../components/spireServer/keyTimes";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

test.each([
  [DAY, 12 * HOUR, 4 * HOUR],
  [42 * DAY, 21 * DAY, 7 * DAY],
  [365 * DAY, 30 * DAY, 7 * DAY],
])("of a CA that lives %d seconds the next one is published %d before its end, and used %d before", (...given) => {
  const [life, published, used] = given;
  expect([preparationLead(life), activationLead(life)]).toEqual([published, used]);
});

test.each([
  ["ZTWIM's defaults", DAY, 300, "enough", /8h0m0s after it is published.*unreachable for 7h58m40s$/, ""],
  ["a CA of a year", 365 * DAY, 3600, "enough", /552h0m0s after it is published/, ""],
  ["five refresh hints, exactly", 75 * MINUTE, 300, "enough", /unreachable for 23m40s$/, ""],
  [
    "less than five",
    HOUR,
    300,
    "tight",
    /unreachable for 18m40s; that is less than 5 refresh hints \(25m0s\)/,
    "set caValidity to 1h15m0s or more, or endpoint.refreshHint to 240 or less",
  ],
  ["a poll and a sync, exactly", 4 * MINUTE, 300, "tight", /unreachable for 0s;/, "set caValidity to 1h15m0s or more"],
  [
    "less than a poll takes",
    30 * MINUTE,
    3600,
    "impossible",
    /10m0s after it is published \(caValidity 30m0s\), and peers know it only after 15m5s \(refreshHint 3600\)/,
    "set caValidity to 45m15s or more, or endpoint.refreshHint to 2380 or less",
  ],
  ["less than any poll takes", MINUTE - 1, 60, "impossible", /19s after/, "set caValidity to 1m0s or more"],
] as const)("%s", (_, caValidity, refreshHint, state, about, cure) => {
  expect(judgeKeyTimes({ caValidity, refreshHint })).toEqual({
    state,
    about: expect.stringMatching(about) as unknown,
    cure,
  });
});

const order: readonly KeyTiming["state"][] = ["impossible", "tight", "enough"];

test("whatever is set, each cure takes it to the next state at least, and what is longer is never worse", () => {
  const given = fc.record({
    caValidity: fc.integer({ min: 1, max: 400 * DAY }),
    refreshHint: fc.integer({ min: 60, max: HOUR }),
  });
  fc.assert(
    fc.property(given, fc.nat(), ({ caValidity, refreshHint }, more) => {
      const { state, cure } = judgeKeyTimes({ caValidity, refreshHint });
      const rank = (other: Partial<KeyTimes>): number =>
        order.indexOf(judgeKeyTimes({ caValidity, refreshHint, ...other }).state);
      expect(rank({ caValidity: caValidity + more })).toBeGreaterThanOrEqual(order.indexOf(state));
      const [, life = ""] = /caValidity to (\w+)/.exec(cure) ?? [];
      const [, hint = ""] = /refreshHint to (\d+)/.exec(cure) ?? [];
      if (life !== "") expect(rank({ caValidity: parseDuration(life) ?? 0 })).toBeGreaterThan(order.indexOf(state));
      if (hint !== "") expect(rank({ refreshHint: Number(hint) })).toBeGreaterThan(order.indexOf(state));
    }),
  );
});

test("what a SpireServer does not say, or says in another way, is the operator's default", () => {
  const usual = { caValidity: DAY, defaultJWTValidity: 300 };
  expect([undefined, {}, { caValidity: 5, defaultJWTValidity: "soon" }].map(keyLivesOf)).toEqual(Array(3).fill(usual));
  expect(keyLivesOf({ caValidity: "48h0m0s" })).toEqual({ ...usual, caValidity: 2 * DAY });
});
