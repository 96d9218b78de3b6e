import { UsageError } from "../../../mesh/kernel/exit";
import { readCommandLine } from "../../../mesh/cli/arguments";

const terminal = { input: true, output: true };
const pipe = { input: false, output: false };

test("a command, its stacks and its options", () => {
  const line = readCommandLine(["preview", "cluster1", "cluster2", "--parallel", "2", "--json"], pipe);
  expect(line).toMatchObject({ command: "preview", names: ["cluster1", "cluster2"], parallel: 2 });
  expect(line?.values.json).toBe(true);
});

test("help is asked for, with a command or without", () => {
  expect(readCommandLine(["--help"], pipe)).toBeUndefined();
  expect(readCommandLine(["up", "-h"], pipe)).toBeUndefined();
});

test.each<[string[], string | undefined]>([
  [["verify"], undefined],
  [["verify", "--wait"], "5m"],
  [["verify", "--wait", "--json"], "5m"],
  [["verify", "--wait", "cluster1"], "5m"],
  [["verify", "--wait", "20m", "cluster1"], "20m"],
  [["verify", "--wait=1h30m"], "1h30m"],
])("%j waits %s", (argv, wait) => {
  expect(readCommandLine(argv, pipe)?.values.wait).toBe(wait);
});

test.each<[string[], typeof terminal, RegExp]>([
  [[], terminal, /^no command/],
  [["upp"], terminal, /^"upp" is no command/],
  [["up", "--nothing"], terminal, /--nothing/],
  [["up", "--parallel", "0"], terminal, /^--parallel 0: /],
  [["remove"], terminal, /takes the name of one stack/],
  [["remove", "a", "b"], terminal, /takes the name of one stack/],
  [["remove", "a"], pipe, /--yes goes on without/],
  [["verify", "--watch"], pipe, /needs a terminal/],
  [["up", "--out", "x.html"], terminal, /--out goes with report/],
])("%j is refused", (argv, terminals, message) => {
  expect(() => readCommandLine(argv, terminals)).toThrow(UsageError);
  expect(() => readCommandLine(argv, terminals)).toThrow(message);
});
