/** A SPIRE server, asked by its program, wherever an image has that. */
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { forgetAll } from "../../../mesh/remove/endOfTrust";
import { NoProgram, Refused } from "../../../mesh/spire/serverExec";
import { serverProgram } from "../../../mesh/spire/serverProgram";
import { serverBy, type SpireServer } from "../../../mesh/spire/spireServer";
import type { Site } from "../../../mesh/remove/traces";

const [RED_HAT, UPSTREAM] = ["/spire-server", "/opt/spire/bin/spire-server"];
const TD = "apps.cluster2.example.com";

/** A container with programs, and what they answer; every command that was run in it. */
class Container {
  readonly ran: string[] = [];
  answer: (command: string) => string | Error = () => "";

  constructor(public programs: readonly string[]) {}

  readonly run = (program: string, args: readonly string[]): Promise<string> => {
    const command = [program, ...args].join(" ");
    this.ran.push(command);
    if (!this.programs.includes(program)) return Promise.reject(new NoProgram(`${program}: no such file`));
    const answer = args[0] === "--version" ? "" : this.answer(command);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
}

const serverIn = (container: Container): SpireServer => serverBy(serverProgram({ context: "cluster1" }, container.run));
const noBundles = (): string => JSON.stringify({ bundles: [] });

describe("the program", () => {
  test.each([
    ["Red Hat's image", [RED_HAT], RED_HAT],
    ["the SPIRE project's image", [UPSTREAM], UPSTREAM],
  ])("of %s is found once, whoever asks first, and used from then on", async (_, programs, path) => {
    const container = new Container(programs);
    container.answer = noBundles;
    const server = serverIn(container);
    expect(await Promise.all([server.bundles(), server.bundles(), server.program()])).toEqual([[], [], path]);
    await server.bundles();
    expect(container.ran.filter((command) => command.endsWith("--version"))).toHaveLength(path === RED_HAT ? 1 : 2);
    expect(container.ran.filter((command) => command === `${path} bundle list -output json`)).toHaveLength(3);
  });

  test("is looked for again when an upgrade has put it elsewhere", async () => {
    const container = new Container([UPSTREAM]);
    container.answer = noBundles;
    const server = serverIn(container);
    await server.bundles();
    container.programs = [RED_HAT];
    expect(await server.bundles()).toEqual([]);
    expect(await server.program()).toBe(RED_HAT);
  });

  test("is looked for again after a failure that says nothing about it", async () => {
    const container = new Container([RED_HAT]);
    let down = true;
    const server = serverBy(
      serverProgram({ context: "cluster1" }, (program, args) =>
        down ? Promise.reject(new Error("no answer")) : container.run(program, args),
      ),
    );
    await expect(server.program()).rejects.toThrow("no answer");
    down = false;
    expect(await server.program()).toBe(RED_HAT);
  });

  test("that is nowhere is an error of its own, with both places and how to see the image", async () => {
    const looking = serverIn(new Container([])).bundles();
    await expect(looking).rejects.toBeInstanceOf(NoProgram);
    await expect(looking).rejects.toThrow(
      /none of \/spire-server and \/opt\/spire\/bin\/spire-server.*oc --context cluster1 get pod spire-server-0/,
    );
  });
});

describe("whether a bundle is fetched", () => {
  const polling = (error: Error | undefined): Promise<boolean> => {
    const container = new Container([RED_HAT]);
    container.answer = () => error ?? "";
    return serverIn(container).polls(TD);
  };

  test.each([
    ["yes, it was refreshed", undefined, true],
    [
      "yes, and the fetch has failed",
      new Refused(
        "Error: failed to refresh bundle: rpc error: code = Internal desc = failed to refresh bundle: failed to fetch bundle from endpoint: dial tcp: i/o timeout",
      ),
      true,
    ],
    ["no", new Refused(`Error: there is no federation relationship with trust domain "${TD}"`), false],
  ])("%s", async (_, error, expected) => {
    expect(await polling(error)).toBe(expected);
  });

  test.each([
    [
      "a server that is down",
      new Refused('Error: failed to refresh bundle: rpc error: code = Unavailable desc = connection error: desc = "…"'),
    ],
    ["a kubelet that is not reached", new Error("error dialing backend: i/o timeout")],
    ["a program that isn't there", new NoProgram("no such file")],
  ])("%s is neither", async (_, error) => {
    await expect(polling(error)).rejects.toThrow(error.message);
  });
});

test("no end of trust is seen by a program that isn't there", async () => {
  const server = serverIn(new Container([]));
  const site: Site = {
    polls: (trustDomain) => server.polls(trustDomain),
    forget: (trustDomain) => server.forget(trustDomain),
    // As if the bundles had been read some other way.
    traces: () => Promise.resolve({ bundles: [], relationships: [], asked: [], users: [], unlisted: [] }),
  };
  await expect(forgetAll(site, [TD], { wait: false, signal: uninterrupted.signal })).rejects.toBeInstanceOf(NoProgram);
});
