import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "once-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A checkout with one file and a link to a folder, and how to run a command in it once. */
function checkout(name: string, file: string) {
  const dir = join(folder, name);
  mkdirSync(join(dir, "test"), { recursive: true });
  cpSync("test/once", join(dir, "test/once"));
  writeFileSync(join(dir, "file"), file);
  symlinkSync("test", join(dir, "link"));
  execFileSync("git", ["init", "--quiet"], { cwd: dir });
  return {
    dir,
    once: (...command: string[]) => {
      const env = { ...process.env, SPIRE_FEDERATION_CACHE: join(folder, "cache") };
      const { status, stdout } = spawnSync(join(dir, "test/once"), command, { env, encoding: "utf8" });
      return { status, ran: stdout.includes("ran") };
    },
  };
}

test("what has passed is not run again with the same files, wherever they are; with others it is", () => {
  const first = checkout("first", "one");
  expect(first.once("echo", "ran")).toEqual({ status: 0, ran: true });
  expect(first.once("echo", "ran")).toEqual({ status: 0, ran: false });
  expect(checkout("second", "one").once("echo", "ran").ran).toBe(false);
  expect(checkout("third", "two").once("echo", "ran").ran).toBe(true);
  expect(first.once("echo", "ran", "too").ran).toBe(true);
  writeFileSync(join(first.dir, "new"), "");
  expect(first.once("echo", "ran").ran).toBe(true);
});

test("what has failed is run again", () => {
  const { once } = checkout("one", "one");
  expect([once("sh", "-c", "echo ran; exit 3"), once("sh", "-c", "echo ran; exit 3")]).toEqual(
    Array(2).fill({ status: 3, ran: true }),
  );
});

test("without git it is run each time", () => {
  const { dir, once } = checkout("one", "one");
  rmSync(join(dir, ".git"), { recursive: true });
  expect([once("echo", "ran"), once("echo", "ran")]).toEqual(Array(2).fill({ status: 0, ran: true }));
});
