/** Why a SPIRE server cannot fetch a peer's bundle, by what its log says (SPIRE 1.13 and 1.14). Pure. */
import { word } from "../../components/shared/shell";
import { PROGRAM } from "../../components/shared/names";
import type { Cause } from "./agentCauses";
import { oc, ocHere, upAgain } from "./subjects";
import type { Place } from "../kernel/place";

/** What is behind an error: the first that matches. */
interface Known {
  says: RegExp;
  cause: string;
  cure: (place: Place, peer: string) => string;
}

/** What can be between two clusters, or before the SPIRE server's port, and drops packets without a word. */
const IN_THE_WAY =
  "a firewall, an egress NetworkPolicy or a service mesh here; on the peer's side a NetworkPolicy or a service mesh before port 8443 of its SPIRE server";

const reach: Known["cure"] = (place, peer) =>
  `let this cluster's pods reach the host of ${peer} on port 443; in the way can be ${IN_THE_WAY}: ${ocHere(place, "get networkpolicies")}`;

const ROUTER_OPERATOR = "openshift-ingress-operator";

const ofPeer: Known["cure"] = (_, peer) =>
  `npx ${PROGRAM} verify ${word(peer)} says what is wrong with the endpoint there`;

const KNOWN: readonly Known[] = [
  {
    says: /proxyconnect|Proxy Authentication Required|: Forbidden$/,
    cause: "the cluster's proxy doesn't let it through",
    cure: (place, peer) =>
      `let the proxy reach the host of ${peer} on port 443, or add that host to noProxy: ${oc(place, "edit proxies.config.openshift.io cluster")}`,
  },
  {
    says: /local copy of bundle not found|bundle not found for the endpoint SPIFFE ID trust domain/,
    cause: "https_spiffe without a first bundle of the peer",
    cure: (place) => `give it the first bundle: ${upAgain(place)}`,
  },
  {
    says: /certificate contains no URI SAN/,
    cause: "wrong profile: the peer's endpoint has a web certificate, and https_spiffe is asked for",
    cure: (place) => `take the profile that the peer publishes: ${upAgain(place)}`,
  },
  {
    says: /maybe use https_spiffe instead of https_web/,
    cause: "wrong profile: the peer's endpoint has an SVID, and https_web is asked for",
    cure: (place) => `take the profile that the peer publishes: ${upAgain(place)}`,
  },
  {
    says: /x509svid: could not verify/,
    cause: "SPIFFE authentication: the bundle that is held does not vouch for the peer's endpoint",
    cure: (place, peer) =>
      `if ${peer} has replaced its keys, or was recreated, begin anew: raise rebootstrap in the entry {stack: ${peer}, rebootstrap: 1} of peers in Pulumi.${place.member}.yaml, then ${upAgain(place)}`,
  },
  {
    says: /unexpected (peer )?ID|SPIFFE ID mismatch/i,
    cause: "SPIFFE authentication: the peer's endpoint has another SPIFFE ID",
    cure: (place) => `take the SPIFFE ID that the peer publishes: ${upAgain(place)}`,
  },
  {
    says: /certificate signed by unknown authority/,
    cause: "its trust store lacks the CA of the peer's endpoint",
    cure: () => "add the CA of the peer's endpoint to the trusted CAs of ZTWIM (its TRUSTED_CA_BUNDLE_CONFIGMAP)",
  },
  {
    says: /certificate has expired|not yet valid/,
    cause: "the peer's certificate is out of its time",
    cure: ofPeer,
  },
  {
    says: /x509: certificate (is|is not) valid for/,
    cause: "the peer's certificate is for another host",
    cure: ofPeer,
  },
  {
    says: /tls: (handshake failure|protocol version not supported|insufficient security level|server selected unsupported)/,
    cause: "the two have no TLS version, cipher or group in common, as with a strict TLS profile of the peer's router",
    cure: (_, peer) =>
      `whoever has access to the cluster of ${peer} looks at spec.tlsSecurityProfile: oc get -n ${ROUTER_OPERATOR} ingresscontrollers default -o yaml; oc get apiservers.config.openshift.io cluster -o yaml`,
  },
  {
    says: /HTTP request to an HTTPS server/,
    cause: "the peer's Route has termination edge, and its SPIRE server speaks TLS",
    cure: (_, peer) => `let the Route of ${peer} be made by its stack: npx pulumi up --refresh --stack ${word(peer)}`,
  },
  {
    says: /unexpected status 503/,
    cause:
      "nothing is behind the peer's Route: its SPIRE server is down or serves no bundle, as in create-only mode, or a NetworkPolicy keeps the router from port 8443",
    cure: ofPeer,
  },
  { says: /unexpected status \d+/, cause: "the peer's endpoint answers with an error", cure: ofPeer },
  {
    says: /no such host|server misbehaving|lookup /,
    cause: "the peer's host does not resolve",
    cure: (_, peer) => `let this cluster's DNS resolve the host of ${peer}`,
  },
  { says: /timeout|deadline exceeded|Timeout/, cause: "no answer from the peer's host", cure: reach },
  {
    says: /connection reset|EOF$/,
    cause: "the connection was cut: nothing is behind a passthrough Route, or a service mesh demands its own TLS",
    cure: reach,
  },
  { says: /refused|no route to host|unreachable/, cause: "the peer's host is not reached", cure: reach },
];

/** Undefined when the error is not known. */
export function pollCause(error: string, place: Place, peer: string): Cause | undefined {
  const known = KNOWN.find(({ says }) => says.test(error));
  return known && { cause: known.cause, cure: known.cure(place, peer) };
}
