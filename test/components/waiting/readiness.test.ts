import * as pulumi from "@pulumi/pulumi";
import { failed, firstNotReady, ready, waiting, waitUntil, type Verdict } from "../../../components/waiting/readiness";

const options = { timeoutSeconds: 60, pollMs: 1000 };

/** A look that says the verdicts one after the other, and the last one for ever; functions are called. */
function saying(...verdicts: (Verdict | (() => never))[]): { look: () => Promise<Verdict>; looks: () => number } {
  let looks = 0;
  return {
    look: () => {
      const verdict = verdicts[Math.min(looks++, verdicts.length - 1)];
      return Promise.resolve().then(() => (typeof verdict === "function" ? verdict() : (verdict ?? ready)));
    },
    looks: () => looks,
  };
}

describe("a wait", () => {
  let info: jest.SpyInstance<Promise<void>, Parameters<typeof pulumi.log.info>>;
  beforeEach(() => {
    jest.useFakeTimers();
    info = jest.spyOn(pulumi.log, "info").mockResolvedValue(undefined);
  });
  afterEach(() => {
    jest.useRealTimers();
    info.mockRestore();
  });

  /** How it ended, and after how many seconds. */
  async function outcome(look: () => Promise<Verdict>): Promise<{ reason: string | undefined; seconds: number }> {
    const start = Date.now();
    let end: { reason: string | undefined; seconds: number } | undefined;
    void waitUntil("Thing", look, options).then((reason) => {
      end = { reason, seconds: (Date.now() - start) / 1000 };
    });
    await jest.advanceTimersByTimeAsync(120_000);
    return end ?? { reason: "it never ended", seconds: Infinity };
  }

  it("ends when it is ready, and looks no more", async () => {
    const { look, looks } = saying(waiting("one"), waiting("two"), ready);
    expect(await outcome(look)).toEqual({ reason: undefined, seconds: 2 });
    expect(looks()).toBe(3);
  });

  it("gives up with the last reason", async () => {
    const { look } = saying(waiting("one"), waiting("two"));
    const { reason, seconds } = await outcome(look);
    expect(seconds).toBe(60);
    expect(reason).toBe("Thing: not ready after 60 s: two");
  });

  it("ends at once when it will never be ready", async () => {
    const { reason, seconds } = await outcome(saying(waiting("one"), failed("it is broken; mend it")).look);
    expect(seconds).toBe(1);
    expect(reason).toBe("Thing: it is broken; mend it");
  });

  it("ends only when a failure that may pass has stayed", async () => {
    const { reason, seconds } = await outcome(saying(failed("broken", 15)).look);
    expect(seconds).toBe(15);
    expect(reason).toBe("Thing: broken");
  });

  it("forgets a failure that has passed", async () => {
    const flaps = Array.from({ length: 4 }, () => [failed("broken", 2), waiting("mending")]).flat();
    expect(await outcome(saying(...flaps, ready).look)).toEqual({ reason: undefined, seconds: 8 });
  });

  it("outlives a reader that fails for a moment, not one that fails for good", async () => {
    const broken = (): never => {
      throw new Error("connection reset");
    };
    expect((await outcome(saying(broken, broken, ready).look)).reason).toBeUndefined();
    const { reason, seconds } = await outcome(saying(broken).look);
    expect(seconds).toBe(30);
    expect(reason).toContain("connection reset");
  });

  it("says what it waits for once it takes long, each reason once", async () => {
    await outcome(saying(waiting("a"), waiting("b"), waiting("c"), waiting("c"), waiting("d"), ready).look);
    expect(info.mock.calls.map(([message]) => message)).toEqual(["waiting for Thing: c", "waiting for Thing: d"]);
    expect(info.mock.calls.every(([, , , ephemeral]) => ephemeral === true)).toBe(true);
  });
});

it("takes the first verdict that is not ready, and asks no further", () => {
  const late = jest.fn(() => waiting("late"));
  expect(
    firstNotReady(
      () => ready,
      () => failed("early"),
      late,
    ),
  ).toEqual(failed("early"));
  expect(late).not.toHaveBeenCalled();
  expect(firstNotReady(() => ready)).toBe(ready);
});
