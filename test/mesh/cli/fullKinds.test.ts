/** On a hub of ACM `oc get subscription` means another kind, so commands name OLM's kinds in full. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..", "..");
const SHORT =
  /\b(?:get|delete|edit|describe|patch|annotate) (?:[\w.]+,)*(?:csvs?|subs?|subscriptions?|clusterserviceversions?)(?![\w.])/i;

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|md|yaml)$/.test(file))
    .map((file) => join(folder, file));
}

test("no printed or documented command names a kind of OLM by its short name", () => {
  const files = ["README.md", ...["components", "stacks", "mesh", "docs"].flatMap(sources)];
  const short = files.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    return lines.flatMap((line) => {
      const [found] = SHORT.exec(line) ?? [];
      // Prose, such as "delete the Subscription", names the kind and no command.
      return found === undefined || !/\boc\b|ocHere/.test(line) ? [] : [`${file}: ${found}`];
    });
  });
  expect(short).toEqual([]);
});
