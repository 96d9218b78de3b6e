/** A trust domain that no stack of ours runs, as an entry of `peers` describes it: what a stack would publish, by hand. */
import { checkPeer } from "../components/bundle/checkPeer";
import { type Peer, serverSpiffeId } from "../components/bundle/peer";
import { judgePins } from "../components/bundle/pinnedRoots";
import type { Problem } from "../components/shared/problem";
import { SHOW_BUNDLE } from "../components/bundle/givenBundle";
import { parseTrustBundle, type TrustBundle } from "../components/bundle/trustBundle";
import { isObject } from "../components/shared/untyped";
import { CONTRACT_VERSION, type Publication } from "./publication";
import { definedOnly, type Fields } from "./fields";
import type { DescribedPeer, ReadFile } from "./configuredPeer";
import { qualified, type StackName } from "./stackName";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Returns undefined if the entry is wrong, and notes the problems below `path`.
 *
 * It does not check whether a root of the bundle is valid now, because that only matters when trust begins.
 */
export function describePeer(
  entry: Fields,
  path: string,
  self: StackName,
  problems: Problem[],
  readFile: ReadFile,
): DescribedPeer | undefined {
  const before = problems.length;
  const name = entry.requiredText("name");
  const trustDomain = entry.requiredText("trustDomain");
  const bundleEndpointUrl = entry.requiredText("bundleEndpointUrl");
  const profile = entry.choice("profile", ["https_web", "https_spiffe"]) ?? "https_web";
  const endpointSpiffeId = entry.text("endpointSpiffeId");
  const caCertificates = entry.text("caCertificates");
  const fingerprints = fingerprintsIn(entry, "fingerprints");
  const caFingerprints = fingerprintsIn(entry, "caFingerprints");
  const bundle = bundleIn(entry, readFile);
  if (problems.length > before) return undefined;

  const isSpiffe = profile === "https_spiffe";
  if (!NAME.test(name)) {
    entry.note("name", `"${name}" is not a name; it takes at most 63 lower-case letters, digits and "-", like partner`);
  }
  if (isSpiffe && caCertificates !== undefined) {
    entry.note("caCertificates", "is given with https_spiffe; there the bundle vouches for the endpoint, take it out");
  }
  if (isSpiffe && bundle === undefined) {
    entry.note("bundle", `is not set; with https_spiffe trust begins with a bundle from its owner: ${SHOW_BUNDLE}`);
  }
  const read = bundle === undefined ? undefined : parseTrustBundle(bundle, trustDomain);
  const pins = read === undefined || Array.isArray(read) ? [] : judgePins(read, fingerprints);
  for (const fault of [...(Array.isArray(read) ? read : []), ...pins]) {
    problems.push({ path: `${path}.${fault.path}`, message: fault.message });
  }
  const publication: Publication = {
    version: CONTRACT_VERSION,
    trustDomain,
    bundleEndpointUrl,
    profile,
    ...definedOnly({
      endpointSpiffeId: endpointSpiffeId ?? (isSpiffe ? serverSpiffeId(trustDomain) : undefined),
      caCertificates: isSpiffe ? rootsOf(read) : caCertificates,
      bundle,
      fingerprints,
      caFingerprints,
    }),
  };
  const peer: Peer = { stack: name, ...publication };
  // Without a good bundle there are no roots either, which is noted already.
  const judged = isSpiffe && peer.caCertificates === undefined ? [`${path}.caCertificates`] : [];
  problems.push(...checkPeer(path, peer).filter((fault) => !judged.includes(fault.path)));
  return problems.length > before ? undefined : { name, id: `${qualified(self)}#${name}`, rebootstrap: 0, publication };
}

const rootsOf = (bundle: TrustBundle | Problem[] | undefined): string | undefined =>
  bundle === undefined || Array.isArray(bundle) ? undefined : bundle.roots.join("");

/** SHA-256 in lower-case hexadecimal; undefined where none is given. */
export function fingerprintsIn(entry: Fields, key: "fingerprints" | "caFingerprints"): string[] | undefined {
  const list = entry.list(key);
  const fingerprints = list.map(({ text }) => text.replaceAll(":", "").toLowerCase());
  fingerprints.forEach((fingerprint, index) => {
    if (/^[0-9a-f]{64}$/.test(fingerprint)) return;
    const text = list[index]?.text ?? "";
    entry.note(`${key}[${index}]`, `"${text}" is not a SHA-256; it is 64 hexadecimal digits, with or without ":"`);
  });
  return list.length === 0 ? undefined : fingerprints;
}

/** The JWKS that is written there, as text or as an object, or that is in the file. */
function bundleIn(entry: Fields, readFile: ReadFile): string | undefined {
  const written = entry.raw("bundle")["bundle"];
  const bundle = isObject(written) ? JSON.stringify(written) : entry.text("bundle");
  const file = entry.text("bundleFile");
  if (file === undefined) return bundle;
  if (bundle !== undefined) entry.note("bundleFile", "is given beside bundle; give one of the two");
  try {
    return readFile(file);
  } catch (error) {
    entry.note("bundleFile", `"${file}" cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}
