/**
 * Tests that run one after the other, side by side with the tests of other rows: where each waits for its own cluster,
 * one after the other would only be slower. A row goes on after a failure, as jest does.
 */
export class Row {
  private last: Promise<unknown>;

  /** Nothing runs before `start`, for example the file's beforeAll, has ended. */
  constructor(start: Promise<unknown>) {
    this.last = start;
  }

  test(name: string, body: () => Promise<void>): void {
    const run = this.last.then(body, body);
    this.last = run;
    run.catch(() => undefined); // jest hears of it when it comes to this test
    test(name, () => run);
  }
}
