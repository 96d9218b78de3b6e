/** What has to be true of the sources before a tag becomes a release, and what the release says of itself. */

/** What the files say that name a version or an owner. */
export interface Sources {
  /** package.json */
  readonly manifest: {
    readonly version: string;
    readonly author?: string;
    readonly repository?: { readonly url?: string };
    readonly bugs?: { readonly email?: string };
  };
  /** Version by the file that has to have the same one. */
  readonly copies: Readonly<Record<string, string>>;
  /** CHANGELOG.md */
  readonly changelog: string;
  /** deploy/pko/Containerfile */
  readonly containerfile: string;
}

const RELEASED = /^\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$/;

/** What package.json says in place of an owner until there is one. */
const NOBODY = /\b(OWNER|REPOSITORY)\b|\.example\b/;

/**
 * What keeps these sources from being released by that tag; empty if nothing does.
 *
 * @param tag such as `v1.2.3`
 */
export function problemsOf(tag: string, { manifest, copies, changelog, containerfile }: Sources): string[] {
  const { version } = manifest;
  const problems: string[] = [];
  if (tag !== `v${version}`)
    problems.push(`tag: "${tag}" is not the version of package.json; "v${version}" would be, or change package.json`);
  if (!RELEASED.test(version))
    problems.push(`package.json: version "${version}" is none of a release; 1.2.3 and 1.2.3-rc.1 would be`);
  for (const [file, other] of Object.entries(copies))
    if (other !== version) problems.push(`${file}: version "${other}" is not that of package.json, "${version}"`);
  if (notesOf(changelog, version) === "")
    problems.push(`CHANGELOG.md: there is nothing below "## ${version}"; move there what is below "## Unreleased"`);
  else if (sectionsOf(changelog).find(({ text }) => text !== "")?.title !== version)
    problems.push(`CHANGELOG.md: something stands above "## ${version}", which would not be in the notes`);
  const owner = {
    author: manifest.author,
    "repository.url": manifest.repository?.url,
    "bugs.email": manifest.bugs?.email,
  };
  for (const [key, value = ""] of Object.entries(owner))
    if (value === "" || NOBODY.test(value))
      problems.push(`package.json: ${key} is "${value}"; whoever owns the project writes it (CONTRIBUTING.md)`);
  for (const base of new Set(basesOf(containerfile)))
    if (!/@sha256:[0-9a-f]{64}$/.test(base))
      problems.push(`deploy/pko/Containerfile: "${base}" has no digest; Renovate adds it, or ${base}@sha256:… by hand`);
  return problems;
}

const basesOf = (containerfile: string): string[] =>
  [...containerfile.matchAll(/^FROM (\S+)/gm)].map(([, base = ""]) => base);

/** What CHANGELOG.md says of a version; empty if it does not know it. */
export const notesOf = (changelog: string, version: string): string =>
  sectionsOf(changelog).find(({ title }) => title === version)?.text ?? "";

/** Versions and `Unreleased`, the newest first. Behind a version may stand a date: `## 1.2.3 - 2026-12-31`. */
const sectionsOf = (changelog: string): { title: string; text: string }[] =>
  changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...lines] = section.split("\n");
      return { title: heading.split(" ")[0] ?? "", text: lines.join("\n").trim() };
    });
