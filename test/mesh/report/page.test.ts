import { createHash } from "node:crypto";
import { page } from "../../../mesh/report/page";
import { failed } from "../../../mesh/verify/check";
import type { Verification } from "../../../mesh/verify/verification";
import { AT, everyState, faultyMesh, GRANT, mesh, REACH, refresh, RENEW } from "./given";

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = ""]) => found);
const textOf = (markup: string): string =>
  markup
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
const heading = (text: string): string => textOf(/<h1[\s\S]*?<\/h1>/.exec(text)?.[0] ?? "");
const lead = (text: string): string =>
  textOf(/<p class="lead">[\s\S]*?<\/p>/.exec(text)?.[0] ?? "").replace(/ ([,.])/g, "$1");

it.each([
  ["a healthy mesh", mesh(3), "√ All healthy: 3 members, 6 directions of trust", ""],
  ["one member alone", mesh(1), "√ All healthy: 1 member, 0 directions of trust", ""],
  [
    "a note alone",
    mesh(1, { said: { cluster1: { MESH124: GRANT("cluster1") } } }),
    "√ All healthy: 1 member, 0 directions of trust",
    "Nothing is wrong; 1 note.",
  ],
  [
    "three faults",
    faultyMesh(),
    "× 1 of 3 members and 0 of 6 directions of trust are healthy",
    "2 things to put right; start with cluster2, for which 1 further check waits.",
  ],
])("says first how the mesh is and what to do, of %s", (_, verification, head, first) => {
  const text = page(verification);
  expect([heading(text), lead(text)]).toEqual([head, first]);
});

it.each([1, 2, 12])("draws %d members, and an arrow for each direction of trust", (count) => {
  const text = page(mesh(count));
  expect(all(text, /<g class="(node) healthy">/g)).toHaveLength(count);
  expect(all(text, /marker-end="url\(#head-(healthy)\)"/g)).toHaveLength(count * (count - 1));
  expect(all(text, /<(h1)/g)).toHaveLength(1);
});

it("has a matrix, and no picture, of more than twelve members, in which every direction has its state", () => {
  const expired = { "cluster13 cluster2": { MESH213: failed("no poll", "refresh it") } };
  const text = page(mesh(13, { said: expired }));
  const matrix = /<div class="matrix"[\s\S]*?<\/div>/.exec(text)?.[0] ?? "";
  expect(text).not.toContain('class="graph');
  expect(all(matrix, /<td class="(\w+)">/g)).toHaveLength(13 * 12);
  expect(all(matrix, /<td class="unhealthy">\s*<abbr title="([^"]*)">\s*×/g)).toEqual([
    expect.stringContaining("cluster13 -&gt; cluster2: unhealthy, until 20"),
  ]);
});

it("says each state in words and by a mark", () => {
  const text = page(everyState());
  for (const [state, mark] of Object.entries({ healthy: "√", pending: "…", unhealthy: "×", unknown: "?" })) {
    expect(textOf(text)).toContain(`${mark} ${state}`);
    expect(all(text, new RegExp(`<g class="edge (${state})">`, "g")).length).toBeGreaterThan(1);
  }
});

it("says who trusts whom until when", () => {
  const rows = all(page(faultyMesh()), /<tr>([\s\S]*?)<\/tr>/g).map(textOf);
  expect(rows).toContain("cluster1 cluster2 × unhealthy 2026-11-28 09:15 UTC in 20 hours");
  expect(rows).toContain("cluster2 cluster1 × unhealthy no root seen");
});

it("shows a peer that was not looked at itself", () => {
  const given = mesh(2);
  const text = page({ ...given, members: given.members.slice(0, 1), pairs: given.pairs.slice(0, 1) });
  expect(all(text, /<g class="node (\w+)">/g)).toEqual(["healthy", "unseen"]);
  expect(textOf(text)).toContain("cluster2: not looked at");
});

it("gives each cure as one piece of text", () => {
  expect(all(page(faultyMesh()), /<pre><code>([\s\S]*?)<\/code><\/pre>/g)).toEqual([
    RENEW,
    refresh("cluster2", "cluster1"),
    REACH,
  ]);
});

it("says when it was looked at, in which zone, and by which version", () => {
  const text = textOf(page(mesh(2)));
  expect(text).toContain("looked at on 2026-11-27 13:15 UTC with spire-federation 0.1.0");
  expect(page(mesh(2))).toContain(`<time datetime="${AT}">`);
});

it("lets nothing be loaded and no script run, and only its own style", () => {
  const text = page(faultyMesh());
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1]?.replaceAll("&#39;", "'") ?? "";
  const style = all(text, /<style>([\s\S]*?)<\/style>/g);
  const hashes = style.map((css) => `'sha256-${createHash("sha256").update(css).digest("base64")}'`);
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `style-src ${hashes.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(text).not.toMatch(/<script|style="|@import|url\((?!#)/);
});

it("lets no text of a cluster become markup, whichever it is", () => {
  const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)></svg></style></pre>&lt;`;
  const tags = (text: string): string[] => page(everyTextOf(everyState(), text)).match(/<[/!]?\w+/g) ?? [];
  expect(tags(evil)).toEqual(tags("x"));
  expect(page(everyTextOf(everyState(), evil))).not.toContain("<script");
});

/** The same with another text in the place of each that is not one of a few words of this program. */
function everyTextOf(verification: Verification, text: string): Verification {
  const names = new Map(verification.members.map(({ member }) => [member, `${member}${text}`]));
  const kept = new Set(["health", "state"]);
  return JSON.parse(
    JSON.stringify(verification, (key, value: unknown) =>
      typeof value === "string" && !kept.has(key) ? (names.get(value) ?? text) : value,
    ),
  ) as Verification;
}
