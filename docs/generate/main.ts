/** Writes the generated pages of docs/: `npm run docs`. A unit test says when they are stale. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksPage } from "./checksPage";
import { commandsPage } from "./commandsPage";
import { configPage } from "./configPage";
import { ROOT } from "./typeFields";

/** Pages of docs/ by the name of their file. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  "checks.md": checksPage,
  "commands.md": commandsPage,
  "config.md": configPage,
};

if (require.main === module) {
  for (const [file, page] of Object.entries(GENERATED)) writeFileSync(join(ROOT, "docs", file), page());
}
