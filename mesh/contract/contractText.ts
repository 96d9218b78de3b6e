/** Contracts as the other side can use them. Pure. */
import { stringify } from "yaml";
import { TRUST_KIND } from "../../components/bundle/bundleMark";
import { objectName } from "../../components/bundle/objectName";
import { PROGRAM, SPIRE_API } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { federatedTrustDomainSpec } from "../../components/bundle/peer";
import { printable } from "../kernel/text";
import type { MemberContract, UnknownContract } from "./contracts";
import type { Form } from "./forms";

type Told = readonly (MemberContract | UnknownContract)[];

const known = (all: Told): MemberContract[] => all.flatMap((one) => ("because" in one ? [] : [one]));

/** What the other side cannot do without, and is not known: a reader of the form has to see it. */
const missing = (all: Told): string[] =>
  all.flatMap((one) => {
    if ("because" in one) return `${one.member}: ${one.because}`;
    return one.rootsUnknown === undefined ? [] : `${one.member}: its roots are not known: ${one.rootsUnknown}`;
  });

/** One form alone; what is missing is a comment in it. */
export function printForm(all: Told, form: Form): string {
  const notes = missing(all).map((note) => `# ${printable(note).replaceAll("\n", "\n# ")}\n`);
  return notes.join("") + (known(all).length === 0 ? "" : RENDER[form](known(all)));
}

/** All forms, for people. */
export function printContracts(all: Told): string {
  const sections = known(all).map((one) =>
    [
      `${one.member} (${one.trustDomain})`,
      `\nFor a stack of this program, in Pulumi.<stack>.yaml:\n\n${RENDER.peers([one])}`,
      `\nFor a cluster with SPIRE's controller manager:\n\n${RENDER.cftd([one])}`,
      `\nFor SPIRE alone, in server.conf below server.federation:\n\n${RENDER["server.conf"]([one])}`,
    ].join("\n"),
  );
  return printable([...sections, ...missing(all).map((note) => `${note}\n`)].join("\n"));
}

const RENDER: Readonly<Record<Form, (known: readonly MemberContract[]) => string>> = {
  peers: (all) => stringify({ "spire-federation:peers": all.map(entryOf) }, { lineWidth: 0 }),
  cftd: (all) => all.map((one) => stringify(trustObject(one), { lineWidth: 0 })).join("---\n"),
  "server.conf": (all) => all.map(federatesWithBlock).join(""),
  bundle: (all) => all.map(({ bundle }) => (bundle === undefined ? "" : `${bundle}\n`)).join(""),
};

/** With https_web the endpoint has the bundle; the fingerprints say which keys it must have. */
function entryOf(one: MemberContract): Record<string, unknown> {
  const { name, trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, caCertificates, fingerprints, bundle } = one;
  return {
    name,
    trustDomain,
    bundleEndpointUrl,
    profile,
    ...(profile === "https_spiffe"
      ? { endpointSpiffeId, ...(bundle !== undefined && { bundle }) }
      : caCertificates !== undefined && { caCertificates }),
    ...(fingerprints.length > 0 && { fingerprints }),
  };
}

function trustObject(one: MemberContract): object {
  const { name, profile, bundle } = one;
  return {
    apiVersion: SPIRE_API,
    kind: TRUST_KIND,
    metadata: { name: objectName(name) },
    spec: {
      ...federatedTrustDomainSpec({ stack: name, ...one }),
      ...(profile === "https_spiffe" && bundle !== undefined && { trustDomainBundle: bundle }),
    },
  };
}

function federatesWithBlock(one: MemberContract): string {
  const { name, trustDomain, bundleEndpointUrl, profile, endpointSpiffeId } = one;
  const id = profile === "https_spiffe" ? `\n    endpoint_spiffe_id = ${JSON.stringify(endpointSpiffeId)}\n  ` : "";
  const block =
    `federates_with ${JSON.stringify(trustDomain)} {\n` +
    `  bundle_endpoint_url = ${JSON.stringify(bundleEndpointUrl)}\n` +
    `  bundle_endpoint_profile ${JSON.stringify(profile)} {${id}}\n}\n`;
  if (profile !== "https_spiffe") return block;
  return (
    `${block}# Once, so that the server can verify that endpoint:\n` +
    `#   npx ${PROGRAM} peer-info ${word(one.member)} -o bundle > ${word(`${name}.json`)}\n` +
    `#   spire-server bundle set -format spiffe -id spiffe://${trustDomain} -path ${word(`${name}.json`)}\n`
  );
}
