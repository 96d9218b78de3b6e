/** docs/checks.md, made of the checks themselves: `npm run docs`. */
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
  return `${[HEAD, mapping(groups.flatMap(([, checks]) => checks)), ...groups.map(group)].join("\n\n")}\n`;
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

function group([title, checks]: [string, readonly Described[]]): string {
  return [`## ${title}`, ...checks.map(section)].join("\n\n");
}

function section({ code, title, source, about, needs = [], needsOfPeer = [] }: Described): string {
  const all = [...needs.map(link), ...needsOfPeer.map((one) => `${[one].flat().map(link).join(" or ")} of the peer`)];
  const needed = all.length === 0 ? "" : `\n\nNeeds ${all.join(", ")}.`;
  return `### ${code}\n\n**${title}.** Seen from ${source}.\n\n${about}${needed}`;
}

const link = (code: string): string => `[${code}](#${code.toLowerCase()})`;
