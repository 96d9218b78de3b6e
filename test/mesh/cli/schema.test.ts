import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..", "..");

test("the published schema of --json is that of the types behind it", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { schema: string } };
  const [program = "", ...args] = scripts.schema.replace(/ --out \S+/, "").split(" ");
  const made = execFileSync(join(ROOT, "node_modules", ".bin", program), args, { cwd: ROOT, encoding: "utf8" });
  expect(JSON.parse(readFileSync(join(ROOT, "mesh", "cli", "schema.json"), "utf8"))).toEqual(JSON.parse(made));
});
