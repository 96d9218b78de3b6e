import { PROGRAM } from "../../../components/shared/names";
import { version } from "../../../package.json";
import { formatOf, readCommandLine, type Run, type Terminals } from "../../../mesh/cli/arguments";
import { COMMANDS } from "../../../mesh/cli/commandList";
import { UsageError } from "../../../mesh/kernel/exit";

const terminal = { asks: true, redraws: true };
const pipe = { asks: false, redraws: false };

const read = (argv: readonly string[], terminals: Terminals = pipe) => readCommandLine(COMMANDS, argv, terminals);

function run(...argv: string[]): Run {
  const line = read(argv);
  if ("show" in line) throw new Error(`shows ${line.show}`);
  return line;
}

test("an approved plan is an answer, and no other one is given beside it", () => {
  expect(run("up", "--approved", "plan.json").flags).toMatchObject({ approved: "plan.json", yes: false });
  expect(() => read(["up", "--approved", "plan.json", "--yes"])).toThrow(/cannot be used with/);
});

test("a command, its stacks and its flags", () => {
  expect(run("preview", "cluster1", "cluster2", "--parallel", "2", "-o", "json", "-C", "elsewhere")).toMatchObject({
    command: "preview",
    words: ["cluster1", "cluster2"],
    flags: { parallel: 2, expectNoChanges: false },
    format: "json",
    global: { cwd: "elsewhere" },
  });
});

test.each([
  [["--help"], /^ {2}verify {6}Check from outside/m],
  [["help"], /^ {2}verify {6}Check from outside/m],
  [["help", "verify"], /^ {2}# Check all members once\n {2}npx spire-federation verify$/m],
  [["verify", "-h"], /^Usage: npx spire-federation verify \[stack\.\.\.\] \[flags\]$/m],
  [["--version"], new RegExp(`^${version}\n$`)],
])("%j is shown", (argv, shown) => {
  expect(read(argv)).toEqual({ show: expect.stringMatching(shown) as string });
});

test.each<[string[], boolean, number]>([
  [["verify"], false, 300],
  [["verify", "--wait"], true, 300],
  [["verify", "--wait", "20m"], true, 300],
  [["verify", "--timeout", "20m", "cluster1"], true, 1200],
  [["verify", "-o", "html", "--timeout=1h30m"], true, 5400],
])("%j waits: %s, for %d s", (argv, wait, timeout) => {
  expect(run(...argv).flags).toMatchObject({ wait, timeout });
});

test("a stack named like a duration is a stack", () => {
  expect(run("verify", "--wait", "2east").words).toEqual(["2east"]);
});

test.each(["json", "yaml"] as const)("each way to ask for %s is one, also where the line is wrong", (form) => {
  for (const way of [["-o", form], [`--output=${form}`], [`-o${form}`], ["--output", form]]) {
    expect(run("status", ...way).format).toBe(form);
    expect(formatOf(["status", "--nosuch", ...way])).toBe(form);
  }
  expect(run("status", form).format).toBeUndefined();
  expect(formatOf(["status", form])).toBeUndefined();
});

test.each([
  [["status", "--json"], "-o json"],
  [["verify", "--code", "MESH101"], "--check"],
  [["verify", "--precheck"], "the command precheck"],
  [["report", "--out", "x.html"], "verify -o html > FILE"],
  [["help", "report"], "verify -o html > FILE"],
  [["contract", "cluster1"], "peer-info"],
  [["pko"], "npm run pko"],
])("%j is refused, and says how it is written now", (argv, now) => {
  expect(() => read(argv, terminal)).toThrow(UsageError);
  expect(() => read(argv, terminal)).toThrow(new RegExp(`is now: ${now}$`));
});

test("global flags stand before the command or after it", () => {
  for (const argv of [
    ["-q", "--no-color", "-C", "x", "status"],
    ["status", "-q", "--no-color", "-C", "x"],
  ])
    expect(run(...argv).global).toMatchObject({ quiet: true, color: false, cwd: "x" });
  expect(run("status").global).toMatchObject({ quiet: false, color: true, cwd: "." });
});

test.each<[string[], Terminals, RegExp]>([
  [[], terminal, /^no .*command was given/],
  [["upp"], terminal, /^unknown command 'upp'; did you mean up\?/],
  [["help", "nosuch"], terminal, /^unknown command 'nosuch'; run "npx spire-federation --help"/],
  [["up", "--nothing"], terminal, /^unknown option '--nothing'\nRun "npx spire-federation help up"/],
  [["verify", "--wiat"], terminal, /^unknown option '--wiat'; did you mean --wait\?/],
  [["up", "--destroy"], terminal, /^unknown option '--destroy'/],
  [
    ["up", "--parallel", "0"],
    terminal,
    /--parallel <n>' argument '0' is invalid; it must be a whole number, 1 or more/,
  ],
  [["verify", "--timeout", "5"], terminal, /'5' is invalid; it must be hours, minutes and seconds/],
  [["status", "-o", "html"], terminal, /'html' is invalid\. Allowed choices are text, json, yaml/],
  [["remove"], terminal, /^missing required argument 'stack'/],
  [["remove", "a", "b"], terminal, /^too many arguments for 'remove'/],
  [["remove", "a"], pipe, /^stdin or stderr is not a terminal; pass --yes/],
  [["verify", "--watch"], pipe, /^--watch needs a terminal/],
  [["verify", "--watch", "-o", "json"], terminal, /'--watch' cannot be used with option '-o, --output/],
  [["precheck", "--wait"], terminal, /^unknown option '--wait'/],
  [["verify", "--watch", "--timeout", "1m"], terminal, /'--watch' cannot be used with option '--wait'/],
  [["verify", "--watch", "--probe"], terminal, /'--watch' cannot be used with option '--probe'/],
])("%j is refused", (argv, terminals, message) => {
  expect(() => read(argv, terminals)).toThrow(UsageError);
  expect(() => read(argv, terminals)).toThrow(message);
});

test.each(COMMANDS.flatMap(({ examples }) => Object.keys(examples)))("the example %s parses", (line) => {
  const words = line.replace(/ >.*/, "").split(" ");
  expect(() => read(words, terminal)).not.toThrow();
});

test("help is complete: each flag has a sentence without a full stop, each command two examples or more", () => {
  for (const { name, summary, flags, examples } of COMMANDS) {
    for (const { flags: spec, description } of Object.values(flags))
      expect([name, spec, description.length <= 100 && !description.endsWith(".")]).toEqual([name, spec, true]);
    expect([name, Object.keys(examples).length >= 2, Object.keys(examples)[0]?.startsWith(name)]).toEqual([
      name,
      true,
      true,
    ]);
    expect(summary).toMatch(/^[A-Z][^.]+$/);
  }
  expect(PROGRAM).toBe("spire-federation");
});
