import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

it("goes to stdout as -, and only one thing goes there", async () => {
  expect(await readOut({ out: "-" })).toBe("-");
  await expect(readOut({ out: "-", output: "json" })).rejects.toThrow(UsageError);
});

it("never replaces a device, a pipe or a link, also when it came while it looked", async () => {
  const [real, link, pipe] = [join(dir, "real"), join(dir, "link"), join(dir, "pipe")];
  writeFileSync(real, "kept");
  symlinkSync(real, link);
  execFileSync("mkfifo", [pipe]);
  for (const out of [link, pipe, "/dev/null"]) {
    await expect(readOut({ out })).rejects.toThrow(UsageError);
    await expect(savePage(out, mesh(2))).rejects.toThrow(UsageError);
  }
  expect(readFileSync(real, "utf8")).toBe("kept");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  // A link where others write their temporary file leads nowhere.
  const file = join(dir, "report.html");
  symlinkSync(real, `${file}~`);
  await savePage(file, mesh(2));
  expect(readFileSync(real, "utf8")).toBe("kept");
});

it("writes over an older page, and leaves nothing else beside it", async () => {
  const file = join(dir, "report.html");
  writeFileSync(file, "older");
  await savePage(await readOut({ out: file }), mesh(2));
  expect(readFileSync(file, "utf8")).toBe(page(mesh(2)));
  expect(readdirSync(dir)).toEqual(["report.html"]);
});
