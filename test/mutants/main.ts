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
  if (!(await pass("--maxWorkers", "2", "--findRelatedTests", ...files)))
    throw new Error("the tests fail without a fault");
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
    const dead = await isFound(mutant);
    const line = `${mutant.file}:${String(mutant.line)} ${mutant.what}`;
    if (!dead) survivors.push(line);
    console.log(`${String(made).padStart(3)} ${dead ? "dead    " : "survived"} ${line}`);
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

async function pass(...tests: string[]): Promise<boolean> {
  const args = ["node_modules/jest/bin/jest.js", "--selectProjects", "unit", "--bail", ...tests];
  const [code] = (await once(
    spawn("node", args, { cwd: copy, stdio: "ignore", timeout: PATIENCE_MS, killSignal: "SIGKILL" }),
    "exit",
  )) as [number | null];
  return code === 0;
}

/** First by the tests in the folder of test/ that is named like the file's, or its parent, then by all that load the file. */
async function isFound({ file, text }: Mutant): Promise<boolean> {
  const without = read(file);
  let folder = join("test", dirname(file));
  while (!existsSync(join(copy, folder))) folder = dirname(folder);
  const quick = ["--runInBand", "--testSequencer", "./test/mutants/smallestFirst.js"];
  writeFileSync(join(copy, file), text);
  const passed =
    (await pass(...quick, "--testPathPatterns", `${folder}/`)) && (await pass(...quick, "--findRelatedTests", file));
  writeFileSync(join(copy, file), without);
  return !passed;
}

void main();
