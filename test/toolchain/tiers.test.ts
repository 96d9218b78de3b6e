import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LAB = "test/lab";
const folders = readdirSync(LAB).filter((name) => existsSync(join(LAB, name, "lab")));

test("every live test lies in the folder of a lab", () => {
  const tests = readdirSync(LAB, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  expect(tests).not.toEqual([]);
  expect(tests.filter((file) => !folders.some((folder) => file.split("/").slice(0, -1).join("/") === folder))).toEqual(
    [],
  );
});

test("every lab is started by a tier", () => {
  const script = readFileSync("test/run", "utf8");
  expect(folders).not.toEqual([]);
  expect(
    folders.filter(
      (folder) => !new RegExp(`'\\d+ live[ _]${folder}\\b|test/lab/${folder}/|\\|${folder}/`).test(script),
    ),
  ).toEqual([]);
});

describe("a run", () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "tiers-"));
    for (const name of ["make", "npm", "npx", "go", "gofmt", "shellcheck", "chromium"]) {
      writeFileSync(join(bin, name), "#!/bin/sh\nexit 0\n");
      chmodSync(join(bin, name), 0o755);
    }
  });
  afterEach(() => {
    rmSync(bin, { recursive: true });
  });

  const run = (tier: string, environment: Record<string, string> = {}): { status: number | null; lines: string[] } => {
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, ...environment };
    const { status, stdout } = spawnSync("test/run", [tier], { encoding: "utf8", env });
    return { status, lines: stdout.trimEnd().split("\n") };
  };

  test("does not begin a group that would not end in time, and counts it as failed by its name", () => {
    const { status, lines } = run("quick", { TEST_MINUTES: "0" });
    expect(status).toBe(1);
    for (const group of ["sources", "unit", "modules"]) expect(lines).toContain(`${group}: failed with exit code 1`);
    expect(lines.at(-1)).toBe("0 passed, 3 failed");
  });

  test("says before its sum what it left out", () => {
    expect(run("quick", { TEST_MINUTES: "0" }).lines.at(-2)).toMatch(/^left out: .*make test-live.*make test-all/);
  });

  test("that needs a cluster is not begun after a failure of what needs none", () => {
    writeFileSync(join(bin, "npm"), "#!/bin/sh\necho a type error; exit 1\n");
    writeFileSync(join(bin, "node"), `#!/bin/sh\ncase $1 in *sum.mjs) exec ${process.execPath} "$@" ;; esac\n`);
    chmodSync(join(bin, "node"), 0o755);
    const { status, lines } = run("all", { SPIRE_FEDERATION_CACHE: join(bin, "cache") });
    expect(status).toBe(1);
    expect(lines).toContain("format, lint, types | a type error");
    expect(lines.join("\n")).not.toMatch(/^lab /m);
    expect(lines.at(-2)).toMatch(/^left out: all that needs a cluster/);
  });
});
