import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const recipe = (variable: string): string =>
  new RegExp(`^${variable}=(.*)$`, "m").exec(read("lab/toolchain/lib/recipes.sh"))?.[1] ?? "";

interface Package {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}
const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Package;
const schemaVersion = (path: string): string => (JSON.parse(read(path)) as { version: string }).version;

test("the CLI and the plugins are of the versions of the program's packages", () => {
  expect(recipe("pulumi_version")).toBe(devDependencies["@pulumi/pulumi"]);
  expect(recipe("kubernetes_plugin_version")).toBe(devDependencies["@pulumi/kubernetes"]);
  expect(recipe("command_plugin_version")).toBe(dependencies["@pulumi/command"]);
  expect(recipe("random_plugin_version")).toBe(dependencies["@pulumi/random"]);
});

test("what is built in place of a download is of the same version", () => {
  expect(read("lab/toolchain/pulumi/go.mod")).toContain(
    `github.com/pulumi/pulumi/pkg/v3 v${recipe("pulumi_version")} `,
  );
  expect(schemaVersion("lab/plugins/command/schema.json")).toBe(recipe("command_plugin_version"));
  expect(schemaVersion("lab/plugins/random/schema.json")).toBe(recipe("random_plugin_version"));
});

test("the Go that is asked for is the newest that a module asks for", () => {
  const modules = [
    "lab",
    "lab/plugins",
    "test/actionlint",
    "test/promtool",
    "test/s3",
    ...readdirSync(join(root, "lab/toolchain")).map((one) => `lab/toolchain/${one}`),
  ];
  const asked = modules
    .filter((module) => existsSync(join(root, module, "go.mod")))
    .map((module) => /^go (.*)$/m.exec(read(`${module}/go.mod`))?.[1] ?? "");
  const newest = asked.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  expect(read("lab/toolchain/lib/requirements.sh")).toContain(`need Go ${newest ?? ""} `);
});
