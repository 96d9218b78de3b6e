/** What is measured, in a page of docs. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const DOCS = join(resolve(__dirname, ".."), "docs");

/** The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...others] = rows;
  return [head, head.map(() => "---"), ...others].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

/** Replaces what stands in the page between two comments `measured by …`. */
export async function writeMeasured(page: string, by: string, text: string): Promise<void> {
  const [path, mark] = [join(DOCS, page), `<!-- measured by ${by} -->`];
  const [before = "", , after = ""] = (await readFile(path, "utf8")).split(mark);
  await writeFile(path, [before, `\n\n${text}\n`, after].join(mark));
}
