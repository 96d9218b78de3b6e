/**
 * Whether the unit tests find a fault: writes one fault at a time into one of the forty files that decide most, in a copy
 * of the checkout, and runs the tests that load the file, those of its own folder first.
 *
 *   npm run mutants -- [how many; 100] [seed]
 *
 * A fault that does not compile does not count. The exit code is 1 if the tests find fewer than 95 of 100.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import fc from "fast-check";
import { typeChecker } from "./typeChecker";
import { decisionsIn, type Mutant, mutantsOf } from "./mutants";

const ROOT = resolve(__dirname, "..", "..");
const FOLDERS = ["components", "mesh", "stacks"];
const FILES = 40;
const WANTED = 0.95;
/** Of one run of jest. A fault that makes a loop endless counts as found. */
const PATIENCE_MS = 15 * 60_000;

/** Test files that pass without a fault, as far as they were needed, and those that fail. */
const sound = new Set<string>();
const unsound: string[] = [];
const NO_END = "jest did not end";

const [count = 100, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
const copy = mkdtempSync(join(tmpdir(), "mutants-"));
process.once("exit", () => {
  rmSync(copy, { recursive: true });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

async function main(): Promise<void> {
  console.log(`seed ${String(seed)}`);
  copyCheckout();
  const files = riskiestFiles();
  const compiles = typeChecker(copy);
  const survivors: string[] = [];
  let [made, notCompiled] = [0, 0];
  for (const mutant of shuffled(files.flatMap((file) => mutantsOf(file, read(file))))) {
    if (made === count) break;
    if (!compiles(mutant.file, mutant.text)) {
      notCompiled += 1;
      continue;
    }
    made += 1;
    const by = await foundBy(mutant);
    const line = `${mutant.file}:${String(mutant.line)} ${mutant.what}`;
    if (by === undefined) survivors.push(line);
    console.log(`${String(made).padStart(3)} ${line}: ${by === undefined ? "survived" : `dead by ${by}`}`);
  }
  for (const line of survivors) console.log(`survived: ${line}`);
  const dead = made - survivors.length;
  console.log(
    `seed ${String(seed)}: ${String(dead)} of ${String(made)} dead, ${String(notCompiled)} more do not compile`,
  );
  process.exitCode = made > 0 && dead / made >= WANTED ? 0 : 1;
}

/** Also what is not committed yet. */
function copyCheckout(): void {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const file of listed.toString().split("\0").filter(Boolean)) cpSync(join(ROOT, file), join(copy, file));
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
}

const read = (file: string): string => readFileSync(join(copy, file), "utf8");

/** Those that decide most. */
function riskiestFiles(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(copy, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  )
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file, decisions: decisionsIn(file, read(file)) }))
    .sort((one, other) => other.decisions - one.decisions)
    .slice(0, FILES)
    .map(({ file }) => file);
}

const shuffled = (mutants: Mutant[]): Mutant[] =>
  fc.sample(fc.shuffledSubarray(mutants, { minLength: mutants.length }), { seed, numRuns: 1 }).flat();

/** The first test file that fails, if there is one. */
async function failing(...tests: string[]): Promise<string | undefined> {
  const ignored = unsound.flatMap((test) => ["--testPathIgnorePatterns", `${test}$`]);
  const quick = ["--bail", "--runInBand", "--testSequencer", "./test/mutants/smallestFirst.js"];
  const args = ["node_modules/jest/bin/jest.js", "--selectProjects", "unit", ...quick, ...ignored, ...tests];
  const child = spawn("node", args, {
    cwd: copy,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  let output = "";
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return code === 0 ? undefined : (/^FAIL unit (\S+)/m.exec(output)?.[1] ?? NO_END);
}

/** Which test file finds it: one of the folder of test/ that is named like the file's or its parent, or any that loads the file. */
async function foundBy(mutant: Mutant): Promise<string | undefined> {
  const { file, text } = mutant;
  const without = read(file);
  let folder = join("test", dirname(file));
  while (!existsSync(join(copy, folder))) folder = dirname(folder);
  writeFileSync(join(copy, file), text);
  const by = (await failing("--testPathPatterns", `${folder}/`)) ?? (await failing("--findRelatedTests", file));
  writeFileSync(join(copy, file), without);
  if (by === undefined || by === NO_END || sound.has(by)) return by;
  if ((await failing("--runTestsByPath", by)) === undefined) {
    sound.add(by);
    return by;
  }
  unsound.push(by);
  console.log(`not used, because it fails without a fault: ${by}`);
  return foundBy(mutant);
}

void main();
