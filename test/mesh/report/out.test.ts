import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../../mesh/kernel/exit";
import { readOut, savePage } from "../../../mesh/report/out";
import { page } from "../../../mesh/report/page";
import { mesh } from "./given";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mesh-out-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

it.each([
  ["no file", {}],
  ["a file without a name", { out: "" }],
  ["a file in a folder that is not there", { out: "no/such/report.html" }],
  ["a file in a file", { out: join(__filename, "report.html") }],
  ["a folder", { out: __dirname }],
])("refuses before it looks: %s", async (_, options) => {
  await expect(readOut(options)).rejects.toThrow(UsageError);
});

it("writes over an older page, and leaves nothing else beside it", async () => {
  const file = join(dir, "report.html");
  writeFileSync(file, "older");
  await savePage(await readOut({ out: file }), mesh(2));
  expect(readFileSync(file, "utf8")).toBe(page(mesh(2)));
  expect(readdirSync(dir)).toEqual(["report.html"]);
});
