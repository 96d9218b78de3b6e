import { uninterrupted } from "../../../mesh/kernel/interruption";
import { forgetAll } from "../../../mesh/remove/endOfTrust";
import type { Site } from "../../../mesh/remove/traces";

const TD = "c.example.com";

/** A SPIRE server that holds one bundle, and fetches it as often as it is said to. */
class Server implements Site {
  readonly calls: string[] = [];
  held = true;

  constructor(
    private fetches: number,
    private readonly sticky = false,
  ) {}

  traces() {
    this.calls.push("look");
    return Promise.resolve({
      bundles: this.held ? [TD, "b.example.com"] : ["b.example.com"],
      relationships: [],
      asked: [],
      users: [],
      unlisted: [],
    });
  }

  polls(): Promise<boolean> {
    return Promise.resolve(this.fetches-- > 0);
  }

  forget(trustDomain: string): Promise<void> {
    this.calls.push(`forget ${trustDomain}`);
    this.held = this.sticky;
    return Promise.resolve();
  }
}

test("a bundle is deleted once nothing fetches it, and looked for afterwards", async () => {
  const server = new Server(1);
  expect(await forgetAll(server, [TD], { wait: true, signal: uninterrupted.signal })).toEqual({
    deleted: [TD],
    left: [],
    warnings: [],
  });
  expect(server.calls).toEqual(["look", "look", `forget ${TD}`, "look"]);
});

test("a bundle that is fetched for ever is not deleted, for it would come back", async () => {
  const server = new Server(Infinity);
  const { left } = await forgetAll(server, [TD], { wait: false, signal: uninterrupted.signal });
  expect(left).toEqual([`its SPIRE server still fetches the bundle of ${TD}`]);
  expect(server.held).toBe(true);
});

test("a bundle that is there again after it was deleted is no end of trust", async () => {
  const { left } = await forgetAll(new Server(0, true), [TD], { wait: false, signal: uninterrupted.signal });
  expect(left).toEqual([`its SPIRE server still holds the bundle of ${TD}`]);
});

test("other trust domains' bundles are left alone", async () => {
  const server = new Server(0);
  await forgetAll(server, [TD, "d.example.com"], { wait: true, signal: uninterrupted.signal });
  expect(server.calls.filter((call) => call.startsWith("forget"))).toEqual([`forget ${TD}`]);
});

test("of a leaver everything ends, also what was set by hand", async () => {
  const server = new Server(0);
  const forgotten: string[] = [];
  server.forget = (trustDomain) => {
    forgotten.push(trustDomain);
    return Promise.resolve();
  };
  const { left } = await forgetAll(server, [TD], { wait: false, signal: uninterrupted.signal, all: true });
  expect(forgotten).toEqual([TD, "b.example.com"]);
  // It was held all the same, after the deletion.
  expect(left).toContain("its SPIRE server still holds the bundle of b.example.com");
});

test("a leaver that polls somebody by hand is not clean", async () => {
  const server = new Server(0);
  const traces = { bundles: [], relationships: ["hand.example.com"], asked: [], users: [], unlisted: [] };
  const { left } = await forgetAll(
    {
      traces: () => Promise.resolve(traces),
      forget: (id) => server.forget(id),
      polls: (id) => Promise.resolve(id === "hand.example.com"),
    },
    [],
    { wait: false, signal: uninterrupted.signal, all: true },
  );
  expect(left).toEqual(["its SPIRE server still fetches the bundle of hand.example.com"]);
});

test("after a signal nothing more is deleted", async () => {
  const server = new Server(0);
  const stop = new AbortController();
  server.forget = (trustDomain) => {
    server.calls.push(`forget ${trustDomain}`);
    stop.abort();
    return Promise.resolve();
  };
  await expect(forgetAll(server, [TD, "b.example.com"], { wait: true, signal: stop.signal })).rejects.toThrow();
  expect(server.calls.filter((call) => call.startsWith("forget"))).toEqual([`forget ${TD}`]);
});

test("a wait for the end of a fetch ends with the signal", async () => {
  const stop = new AbortController();
  const forgetting = forgetAll(new Server(Infinity), [TD], { wait: true, signal: stop.signal });
  setTimeout(() => {
    stop.abort();
  }, 50);
  await expect(forgetting).rejects.toThrow("interrupted");
});
