/** The errors of polls that real clusters have shown, each with what is behind it. */
import { pollCause } from "../../../mesh/verify/pollCauses";
import type { Outcome } from "../../../mesh/verify/check";
import { look, pollLine, trustDomainOf } from "./fixture";

const FETCH =
  'failed to fetch federated bundle from endpoint: failed to fetch bundle: Get "https://federation.apps.cluster2.example.com": ';

test.each([
  [`${FETCH}dial tcp 203.0.113.7:443: i/o timeout`, /no answer/, /firewall.*NetworkPolicy.*service mesh.*8443/],
  [`${FETCH}context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, /no answer/, /port 443/],
  [`${FETCH}dial tcp 203.0.113.7:443: connect: connection refused`, /not reached/, /port 443/],
  [
    `${FETCH}dial tcp: lookup federation.apps.cluster2.example.com on 172.30.0.10:53: no such host`,
    /not resolve/,
    /DNS/,
  ],
  [
    `${FETCH}dial tcp: lookup federation.apps.cluster2.example.com on 172.30.0.10:53: read udp: i/o timeout`,
    /not resolve/,
    /DNS/,
  ],
  [
    `${FETCH}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    /lacks the CA/,
    /TRUSTED_CA_BUNDLE_CONFIGMAP/,
  ],
  [
    `${FETCH}x509svid: could not get leaf SPIFFE ID: certificate contains no URI SAN`,
    /wrong profile.*https_spiffe is asked for/,
    /up --refresh --stack cluster1/,
  ],
  [
    'failed to authenticate bundle endpoint using web authentication but the server certificate contains SPIFFE ID "spiffe://x": maybe use https_spiffe instead of https_web: tls: failed',
    /wrong profile.*https_web is asked for/,
    /up --refresh --stack cluster1/,
  ],
  [
    `${FETCH}x509svid: could not verify leaf certificate: x509: certificate signed by unknown authority`,
    /SPIFFE authentication/,
    /rebootstrap in the entry \{stack: cluster2, rebootstrap: 1\} of peers in Pulumi\.cluster1\.yaml, then npx pulumi up --refresh --stack cluster1/,
  ],
  [`${FETCH}remote error: tls: handshake failure`, /no TLS version/, /cluster of cluster2.*tlsSecurityProfile/],
  [`${FETCH}remote error: tls: protocol version not supported`, /no TLS version/, /tlsSecurityProfile/],
  [`${FETCH}unexpected ID "spiffe://x/spire/server"`, /another SPIFFE ID/, /up --refresh --stack cluster1/],
  ["can't perform SPIFFE Authentication: local copy of bundle not found", /without a first bundle/, /up --refresh/],
  [
    "failed to fetch federated bundle from endpoint: unexpected status 503 fetching bundle: <html>",
    /create-only/,
    /spire-federation verify cluster2/,
  ],
  [
    "unexpected status 400 fetching bundle: Client sent an HTTP request to an HTTPS server.",
    /termination edge/,
    /up --refresh --stack cluster2/,
  ],
  ["unexpected status 404 fetching bundle: ", /answers with an error/, /spire-federation verify cluster2/],
  [`${FETCH}proxyconnect tcp: dial tcp 10.0.0.9:3128: i/o timeout`, /proxy/, /proxies\.config\.openshift\.io cluster/],
  [`${FETCH}Proxy Authentication Required`, /proxy/, /noProxy/],
  [`${FETCH}Forbidden`, /proxy/, /noProxy/],
  [`${FETCH}EOF`, /cut/, /service mesh/],
  [`${FETCH}x509: certificate has expired or is not yet valid`, /out of its time/, /spire-federation verify cluster2/],
])("%s", (error, cause, cure) => {
  const known = pollCause(error, { member: "cluster1", context: "cluster1" }, "cluster2");
  expect(known?.cause).toMatch(cause);
  expect(known?.cure).toMatch(cure);
});

const refreshing = async (error: string): Promise<Outcome & { cure?: string }> => {
  const { pairs } = await look({
    change: ({ cluster1 }) => {
      if (cluster1) cluster1.log += `\n${pollLine(5, "Error updating bundle", trustDomainOf("cluster2"), error)}`;
    },
  });
  const outcome = pairs[0]?.checks.find(({ code }) => code === "MESH213");
  if (outcome === undefined) throw new Error("it was not asked");
  return outcome;
};

test("the pair is told the cause, the error itself, and how to try again", async () => {
  const { evidence, cure } = await refreshing(`${FETCH}EOF`);
  expect(evidence).toMatch(/failed 5 seconds ago: the connection was cut: .* \(failed to fetch .*EOF\)$/);
  expect(cure).toMatch(/; then oc --context cluster1 exec .* federation refresh -id apps\.cluster2\.example\.com$/);
});

test("an error that nobody knows is said as it is, and tried again", async () => {
  const { evidence, cure } = await refreshing("something new");
  expect(evidence).toMatch(/failed 5 seconds ago: something new$/);
  expect(cure).toMatch(/^oc --context cluster1 exec/);
});
