/** Which tags become releases, and what the notes are. */
import { readFileSync } from "node:fs";
import { notesOf, problemsOf, type Sources } from "../../release/release";

const CHANGELOG = "# Changelog\n\nWords.\n\n## 1.2.0 - 2026-12-31\n\n### Added\n\n- One.\n\n## 1.1.0\n\n- Old.\n";

const owned = {
  author: "A Company",
  repository: { url: "https://git.company.com/x" },
  bugs: { email: "a@company.com" },
};

const sources = (version: string, others: Partial<Sources> = {}): Sources => ({
  manifest: { version, ...owned },
  copies: { "package-lock.json": version },
  changelog: CHANGELOG,
  containerfile: `FROM registry/base:1@sha256:${"0".repeat(64)} AS build\nRUN x\nFROM registry/base:1@sha256:${"1".repeat(64)}\n`,
  ...others,
});

test("a tag that is the version of all files, with notes and an owner, can be released", () => {
  expect(problemsOf("v1.2.0", sources("1.2.0"))).toEqual([]);
  const candidate = CHANGELOG.replace("1.2.0", "1.2.0-rc.1");
  expect(problemsOf("v1.2.0-rc.1", sources("1.2.0-rc.1", { changelog: candidate }))).toEqual([]);
  const empty = CHANGELOG.replace("## 1.2.0", "## Unreleased\n\n## 1.2.0");
  expect(problemsOf("v1.2.0", sources("1.2.0", { changelog: empty }))).toEqual([]);
});

test.each([
  ["another tag", "v1.2.1", sources("1.2.0"), /"v1.2.1" is not the version of package.json; "v1.2.0" would be/],
  ["a tag without v", "1.2.0", sources("1.2.0"), /tag: "1.2.0"/],
  ["another version in a copy", "v1.2.0", sources("1.2.0", { copies: { "a.json": "1.1.0" } }), /a\.json: .*"1.1.0"/],
  [
    "a base of the image without digest, named once",
    "v1.2.0",
    sources("1.2.0", { containerfile: "FROM registry/base:1 AS build\nFROM registry/base:1\n" }),
    /Containerfile: "registry\/base:1" has no digest/,
  ],
  ["lines above the version's", "v1.1.0", sources("1.1.0"), /above "## 1.1.0"/],
])("%s is a problem, and the only one", (_, tag, given, message) => {
  expect(problemsOf(tag, given)).toEqual([expect.stringMatching(message)]);
});

test("a version in development, of which CHANGELOG.md says nothing, has two problems", () => {
  expect(problemsOf("v1.3.0-dev", sources("1.3.0-dev"))).toEqual([
    expect.stringMatching(/"1.3.0-dev" is none of a release/),
    expect.stringMatching(/nothing below "## 1.3.0-dev"/),
  ]);
});

test("nobody's project is not released", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Sources["manifest"];
  const unowned = ["author", "repository.url", "bugs.email"].map((key) => expect.stringContaining(key) as string);
  const placeholders = {
    version: "1.2.0",
    author: "OWNER",
    repository: { url: "https://github.com/OWNER/REPOSITORY" },
    bugs: { email: "security@owner.example" },
  };
  expect(problemsOf("v1.2.0", sources("1.2.0", { manifest: placeholders }))).toEqual(unowned);
  expect(problemsOf("v1.2.0", sources("1.2.0", { manifest: { version: "1.2.0" } }))).toEqual(unowned);
  expect(Object.keys(manifest)).toEqual(expect.arrayContaining(["author", "repository", "bugs"]));
});

test("the notes are what stands below the version, and nothing of the next one", () => {
  expect(notesOf(CHANGELOG, "1.2.0")).toBe("### Added\n\n- One.");
  expect(notesOf(CHANGELOG, "1.1.0")).toBe("- Old.");
  expect(notesOf(CHANGELOG, "1.2")).toBe("");
});
