/** Which Kubernetes and which SPIRE the lab has. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Bench } from "./harness";

const TOOLCHAIN = join(__dirname, "..", "..", "lab", "toolchain");
const OTHERS = readdirSync(TOOLCHAIN).flatMap((folder) => /^kubernetes-(1\.\d+)$/.exec(folder)?.[1] ?? []);

describe("LAB_KUBERNETES", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench(`
list_units() {
  local module
  module=$(kubernetes_module)
  unit kube-scheduler 1 "$module" -- kubernetes_server kube-scheduler "$module" v1 ""
}`);
    bench.program(
      "bin/go",
      `[ "$1" != env ] || { echo go1.26.8; echo amd64; exit; }
       while [ "$1" != -o ]; do shift; done; mkdir -p "$(dirname "$2")"; echo "in \${PWD#*/lab}" >"$2"`,
    );
    bench.file("lab/toolchain/kubernetes-1.33/go.mod", "module x\n");
    bench.file("lab/toolchain/kubernetes-1.33/go.sum", "");
  });
  afterEach(() => {
    bench.close();
  });
  const builtIn = (folder: string): string => readFileSync(join(folder, "bin/kube-scheduler"), "utf8").trim();

  test("decides what is built, and each keeps its own", async () => {
    const own = await bench.run();
    const other = await bench.run({ LAB_KUBERNETES: "1.33" });
    expect([builtIn(own.stdout), builtIn(other.stdout)]).toEqual(["in", "in /toolchain/kubernetes-1.33"]);
    expect((await bench.run()).stdout).toBe(own.stdout);
  });

  test("is refused where the lab has no such Kubernetes, with those that it has", async () => {
    const { code, stderr } = await bench.run({ LAB_KUBERNETES: "1.20" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/LAB_KUBERNETES.*1\.20.*1\.33/);
  });
});

describe("LAB_SPIRE", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench(`
list_units() {
  unit spire 1 toolchain/spire -- spire v1.14.5
  older_spire_unit
}`);
    for (const file of ["go.mod", "go.sum", "images.yaml"]) bench.file(`lab/toolchain/spire-1.13/${file}`, file);
  });
  afterEach(() => {
    bench.close();
  });

  test("adds another SPIRE, with the images that it is for", async () => {
    expect(readdirSync((await bench.run()).stdout).sort()).toEqual(["bin", "pulumi"]);
    const { stdout } = await bench.run({ LAB_SPIRE: "1.13" });
    expect(readdirSync(join(stdout, "bin")).sort()).toEqual(["spire-agent", "spire-server"]);
    expect(readdirSync(join(stdout, "spire-1.13")).sort()).toEqual(["images.yaml", "spire-agent", "spire-server"]);
  });

  test("is refused where the lab has no such SPIRE", async () => {
    const { code, stderr } = await bench.run({ LAB_SPIRE: "1.12" });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/LAB_SPIRE is 1\.12.*1\.13/)]);
  });
});

test("there are those of OpenShift 4.19 to 4.21 besides the lab's own", () => {
  expect(OTHERS).toEqual(["1.32", "1.33", "1.34"]);
});

test.each(OTHERS)("Kubernetes %s is of one patch release with its staging modules", (minor) => {
  const text = readFileSync(join(TOOLCHAIN, `kubernetes-${minor}`, "go.mod"), "utf8");
  const patch = new RegExp(`k8s.io/kubernetes v${minor.replace(".", "\\.")}\\.(\\d+)`).exec(text)?.[1] ?? "";
  const staging = [...text.matchAll(/^\t(k8s\.io\/\S+) => \S+ v0\.(\S+)$/gm)];
  expect(staging.length).toBeGreaterThan(25);
  const others = staging.filter(([, , version]) => version !== `${minor.slice(2)}.${patch}`);
  // Not every module of every release is in Go's proxy.
  expect(others.map(([, module]) => module)).toEqual(minor === "1.32" ? ["k8s.io/endpointslice"] : []);
});
