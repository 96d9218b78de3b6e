import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Bench, gone } from "./harness";

/** Three units of one module, which are built one after the other; each notes in the file `made` that it was built, and `b` may be told to fail or to dawdle. */
const recipes = `
list_units() {
  for name in a b pulumi-c; do
    unit "$name" 100 . "sources/$name" -- make_unit "$name"
  done
}
make_unit() {
  local root=$PWD/..
  if [[ $1 == b && -e $root/dawdle ]]; then
    mkdir "$out/half"
    echo $BASHPID >"$root/pid"
    sleep 600
  fi
  if [[ $1 == b && -e $root/broken ]]; then
    echo "b.go:7: undefined: nothing"
    exit 1
  fi
  sleep 0.2 # wide enough for two runs to meet
  echo "$1" >>"$root/made"
  mkdir "$out/bin"
  cp "sources/$1/text" "$out/bin/$1"
}
`;

let bench: Bench;
beforeEach(() => {
  bench = new Bench(recipes);
  for (const name of ["a", "b", "pulumi-c"]) bench.file(`lab/sources/${name}/text`, `${name} 1`);
});
afterEach(() => {
  bench.close();
});

const made = (): string[] => bench.read("made").split("\n");

test("prints one folder with everything in it, and the second time makes nothing", async () => {
  const first = await bench.run();
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).not.toContain("\n");
  expect(readFileSync(join(first.stdout, "bin/a"), "utf8")).toBe("a 1");
  expect(readFileSync(join(first.stdout, "pulumi/bin/pulumi-c"), "utf8")).toBe("pulumi-c 1");
  expect(await bench.run()).toEqual({ code: 0, stdout: first.stdout, stderr: "" });
  expect(made()).toEqual(["a", "b", "pulumi-c"]);
});

test("a changed source makes that unit alone, and keeps the PULUMI_HOME with what Pulumi wrote there", async () => {
  const first = await bench.run();
  mkdirSync(join(first.stdout, "pulumi/workspaces"));
  bench.file("lab/sources/b/text", "b 2");
  const second = await bench.run();
  expect(made()).toEqual(["a", "b", "pulumi-c", "b"]);
  expect(readFileSync(join(second.stdout, "bin/b"), "utf8")).toBe("b 2");
  expect(readFileSync(join(first.stdout, "bin/b"), "utf8")).toBe("b 1");
  expect(existsSync(join(second.stdout, "pulumi/workspaces"))).toBe(true);
});

test("what only tests or explains is no source", async () => {
  const first = await bench.run();
  bench.file("lab/sources/a/a_test.go", "package a");
  bench.file("lab/sources/a/README.md", "a");
  expect(await bench.run()).toEqual({ code: 0, stdout: first.stdout, stderr: "" });
});

test("the first lines say how many programs there are, how many are ready and how long the rest takes", async () => {
  const { stderr } = await bench.run();
  expect(stderr.split("\n").slice(0, 2)).toEqual([
    expect.stringMatching(/^toolchain: 3 programs to get, into \S+: about 5 minutes on two cores/),
    expect.stringMatching(/^toolchain: 0 of 3 programs ready, now \w+, about 5 minutes left$/),
  ]);
  expect(stderr).toContain("toolchain: all 3 programs ready");
  bench.file("lab/sources/b/text", "b 2");
  expect((await bench.run()).stderr).toMatch(/^toolchain: 0 of 1 programs ready, now \w+, about 2 minutes left$/m);
});

test("a failed build names its go.mod and its last words, and the next run goes on from there", async () => {
  bench.file("broken", "");
  const failed = await bench.run();
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/b: .*lab\/go\.mod/);
  expect(failed.stderr).toContain("undefined: nothing");
  expect(bench.stored()).toEqual(["a"]);
  bench.remove("broken");
  expect(await bench.run()).toMatchObject({ code: 0 });
  expect(made()).toEqual(["a", "b", "pulumi-c"]);
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s ends the build and all it started, and leaves nothing half",
  async (signal) => {
    bench.file("dawdle", "");
    const { child, ended } = bench.start();
    await bench.appears("pid");
    child.kill(signal);
    expect((await ended).code).not.toBe(0);
    await gone(Number(bench.read("pid")));
    expect(bench.stored()).toEqual(["a"]);
    bench.remove("dawdle");
    const next = await bench.run();
    expect(next).toMatchObject({ code: 0 });
    expect(readFileSync(join(next.stdout, "bin/b"), "utf8")).toBe("b 1");
  },
);

test("two at once make each unit once and print the same folder", async () => {
  const [one, two] = await Promise.all([bench.run(), bench.run()]);
  expect([one.code, two.code]).toEqual([0, 0]);
  expect(one.stdout).toBe(two.stdout);
  expect(made()).toEqual(["a", "b", "pulumi-c"]);
});

test("all that the machine lacks is named at once, with the version wanted", async () => {
  bench.program("bare/go", "echo go1.19.8; echo amd64");
  bench.program("bare/node", "echo v18.20.0");
  for (const tool of ["dirname", "mkdir", "uname", "sort", "bash"])
    symlinkSync(`/usr/bin/${tool}`, join(bench.root, "bare", tool));
  const { code, stderr } = await bench.run({ PATH: join(bench.root, "bare") });
  expect(code).toBe(1);
  for (const line of [
    /Node >= 20\.19 \(found 18\.20\.0\)/,
    /Go >= 1\.26\.8 \(found 1\.19\.8\)/,
    /npm: /,
    /gcc: /,
    /make: /,
    /curl: /,
    /flock: /,
  ])
    expect(stderr).toMatch(line);
});
