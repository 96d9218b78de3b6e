/** docs/checks.md, made of the checks themselves and of the entries of docs/troubleshooting.md about them: `npm run docs`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "../../components/shared/names";
import { checkGroups, type Described } from "../../mesh/verify/explain";

/** The verifications of the documented procedure, by their numbers. */
const VERIFICATIONS = [
  "the Certificate is Ready",
  "dates of the certificate in its secret",
  "Role and RoleBinding, and whom they are for",
  "every ClusterFederatedTrustDomain is listed, with trust domain and URL",
  "each of them reports that its bundle is synchronised",
  "the endpoint answers, with a certificate by the configured CA",
  "the SPIRE server's log: federation works, bundles are synchronised",
  "the pods of SPIRE run",
  "workloads of two clusters authenticate each other over mTLS",
];

export function checksPage(): string {
  const groups = checkGroups();
  const entries = troubleshooting(readFileSync(join(__dirname, "../troubleshooting.md"), "utf8"));
  const sections = groups.map(([title, checks]) =>
    [`## ${title}`, ...checks.map((check) => section(check, entries.get(check.code) ?? []))].join("\n\n"),
  );
  return `${[HEAD, mapping(groups.flatMap(([, checks]) => checks)), ...sections].join("\n\n")}\n`;
}

/** Headings of the entries about a code, which each name their codes in a last line. */
function troubleshooting(page: string): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  for (const entry of page.split(/^### /m).slice(1)) {
    const heading = entry.slice(0, entry.indexOf("\n"));
    const codes = /^- \*\*Code\*\*(.*)$/m.exec(entry)?.[1]?.match(/MESH\d+(?=\])/g) ?? [];
    for (const code of codes) entries.set(code, [...(entries.get(code) ?? []), heading]);
  }
  return entries;
}

const HEAD = `# Checks of \`${PROGRAM} verify\`

<!-- Made by \`npm run docs\` of mesh/verify/checks; edit it there. -->

\`npx ${PROGRAM} verify\` looks at every member and at every ordered pair of members and says how each is. \`-o wide\` has a line for every check,\n\`npx ${PROGRAM} explain MESH212\` prints what is here. A code is permanent: it
is never given to another check, so scripts and runbooks may refer to it. A check is skipped when one that it needs did not pass, so
that the first failed line is the one to begin with. What could not be seen, such as for want of a right, is said to be so and makes
exit code 3. A warning passes: its member is healthy, nothing is skipped for it, and it changes no exit code.`;

function mapping(checks: readonly Described[]): string {
  const rows = VERIFICATIONS.map((what, index) => {
    const codes = checks
      .filter(({ verifications = [] }) => verifications.includes(index + 1))
      .map(({ code }) => link(code));
    return `| ${index + 1} | ${what} | ${codes.join(", ")} |`;
  });
  return `## The procedure's verifications

The documentation of the procedure ends with nine verifications, done by hand. These checks answer them:

| | verification | checks |
| --- | --- | --- |
${rows.join("\n")}

The documentation looks for the fifth in the status of the ClusterFederatedTrustDomain, which has none: the SPIRE controller manager
writes nothing there.`;
}

function section(
  { code, title, source, about, needs = [], needsOfPeer = [] }: Described,
  entries: readonly string[],
): string {
  const all = [...needs.map(link), ...needsOfPeer.map((one) => `${[one].flat().map(link).join(" or ")} of the peer`)];
  const needed = all.length === 0 ? "" : `\n\nNeeds ${all.join(", ")}.`;
  const causes = entries.map((heading) => `[${heading}](troubleshooting.md#${anchorOf(heading)})`).join(", ");
  const seen = causes === "" ? "" : `\n\nWhat it looks like when it fails, and why: ${causes}.`;
  return `### ${code}\n\n**${title}.** Seen from ${source}.\n\n${about}${needed}${seen}`;
}

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");

const link = (code: string): string => `[${code}](#${code.toLowerCase()})`;
