/** What goes on all the while: connections, tokens and polls, one after the other each, counted. */
import { setTimeout as sleep } from "node:timers/promises";

/** The kinds, and how a table calls them. */
export const KINDS: Readonly<Record<string, string>> = {
  mTLS: "mTLS connections",
  JWT: "JWT-SVIDs",
  endpoint: "polls of the endpoints",
};

export interface Counted {
  tried: number;
  /** Why, of each that was refused. */
  refused: string[];
  /** Seconds between one success and the next. */
  longestGap: number;
}

/** Something that is tried again and again until it is stopped. */
export class Flow {
  private counted: Counted = { tried: 0, refused: [], longestGap: 0 };
  private lastSuccess = performance.now();
  private going = true;
  private readonly running: Promise<void>;

  constructor(
    readonly kind: string,
    private readonly attempt: () => Promise<unknown>,
    private readonly pauseMs = 100,
  ) {
    this.running = this.run();
  }

  /** What was counted since the last time; returns after one more success, whose gap belongs to it. */
  async take(): Promise<Counted> {
    const asked = performance.now();
    const patience = asked + 300_000;
    while (this.lastSuccess < asked && performance.now() < patience) await sleep(50);
    const { counted } = this;
    this.counted = { tried: 0, refused: [], longestGap: 0 };
    return counted;
  }

  async stop(): Promise<void> {
    this.going = false;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.going) {
      this.counted.tried += 1;
      try {
        await this.attempt();
        const gap = (performance.now() - this.lastSuccess) / 1000;
        this.counted.longestGap = Math.max(this.counted.longestGap, gap);
        this.lastSuccess = performance.now();
      } catch (error) {
        this.counted.refused.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(this.pauseMs);
    }
  }
}

/** Of several flows at the same time. */
export const sum = (all: readonly Counted[]): Counted => ({
  tried: all.reduce((total, { tried }) => total + tried, 0),
  refused: all.flatMap(({ refused }) => refused),
  longestGap: Math.max(...all.map(({ longestGap }) => longestGap)),
});
