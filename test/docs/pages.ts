/** The pages for users, and what can be said of Markdown without rendering it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(__dirname, "..", "..");

export const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

const inDocs = readdirSync(join(ROOT, "docs")).filter((file) => file.endsWith(".md"));

/** Files from the repository's root. */
export const PAGES: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "lab/README.md",
  "bench/README.md",
  "examples/typescript/README.md",
  "examples/yaml/README.md",
  ...inDocs.map((file) => `docs/${file}`),
];

/** A fenced block: what stands behind the fence, and its lines. */
export interface Block {
  page: string;
  line: number;
  tag: string;
  text: string;
  /** File of which the block is a part, by the marker before it. */
  outputOf: string | undefined;
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = read(page).split("\n");
  let open: { line: number; tag: string; outputOf: string | undefined } | undefined;
  let text: string[] = [];
  lines.forEach((line, index) => {
    const [fence, tag] = /^\s*```(.*)$/.exec(line) ?? [];
    if (fence === undefined) text.push(line);
    else if (open === undefined) {
      const [, outputOf] = /^<!-- output: (\S+) -->$/.exec(lines[index - 1] ?? "") ?? [];
      open = { line: index + 1, tag: (tag ?? "").trim(), outputOf };
      text = [];
    } else {
      blocks.push({ page, ...open, text: text.join("\n") });
      open = undefined;
    }
  });
  if (open !== undefined) throw new Error(`${page}:${String(open.line)}: the block never ends`);
  return blocks;
}

/** The page without its fenced blocks. */
export const proseOf = (page: string): string => read(page).replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, "");

/** What links to a heading say after the `#`, as GitHub makes it. */
export function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) => {
    const plain = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${String(before)}`;
  });
}

/** Targets of links and images, outside code. */
export const linksOf = (page: string): string[] =>
  [
    ...proseOf(page)
      .replaceAll(/`[^`\n]*`/g, (code) => (code.includes("](") ? "" : code))
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = ""]) => target);
