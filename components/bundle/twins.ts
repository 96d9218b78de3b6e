/**
 * ClusterFederatedTrustDomains of others that stand in a peer's way. Of two for one trust domain SPIRE's controller takes the
 * older one, and says nothing. One that has our object's name would be overwritten, which ends trust in its trust domain, or
 * another SPIRE's trust. Pure.
 */
import { FEDERATION_CLASS } from "../shared/names";
import { oc, type ClusterAccess } from "../cluster/access";
import { word } from "../shared/shell";
import { TRUST_KIND, type TrustObject } from "./bundleMark";
import { madeByProgram } from "./keptPeer";
import { writtenTrustDomain } from "./writtenTrustDomain";

/**
 * What is in the way of a peer, in words.
 *
 * Objects that this program has made are none: a peer that is given another object has two until the end of that up.
 *
 * @param name of the peer's own object
 */
export function twinsOf(
  trustDomain: string,
  name: string,
  trust: readonly TrustObject[],
  access: ClusterAccess,
): string[] {
  return trust.flatMap((object) => {
    const { metadata, spec = {} } = object;
    const other = metadata?.name ?? "";
    const others = writtenTrustDomain(spec.trustDomain ?? "");
    if (madeByProgram(object) || metadata?.deletionTimestamp !== undefined) return [];
    const remove = `delete it if nobody needs it: ${oc(access, `delete clusterfederatedtrustdomain ${word(other)}`)}`;
    const isOthers = spec.className && spec.className !== FEDERATION_CLASS;
    if (other === name && (others !== trustDomain || isOthers)) {
      const whose = isOthers ? `another SPIRE, with class "${spec.className}"` : "somebody else";
      const why = `is of ${whose}, for trust domain "${others}", and has the name that the object for "${trustDomain}" is to have`;
      return [`${TRUST_KIND} ${other} ${why}; set another objectName of the peer, or ${remove}`];
    }
    if (other === name || others !== trustDomain || spec.className !== FEDERATION_CLASS) return [];
    const why = `is of somebody else, and for "${trustDomain}" too; of two SPIRE's controller takes the older one alone`;
    return [
      `${TRUST_KIND} ${other} ${why}: set objectName of the peer to ${word(other)} to take it over, or ${remove}`,
    ];
  });
}
