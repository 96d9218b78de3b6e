import { certificateForServers, renewedBeforeItsEnd } from "../../policy/certificate";
import { object, testRule } from "./cases";

const spec = {
  secretName: "spire-server-federation-tls",
  duration: "2160h",
  renewBefore: "360h",
  dnsNames: ["federation.apps.cluster1.example.com"],
  usages: ["server auth", "digital signature", "key encipherment"],
};
const certificate = (changed: object = {}, options = {}) =>
  object("cert-manager.io/v1", "Certificate", { spec: { ...spec, ...changed } }, options);

testRule(renewedBeforeItsEnd, {
  passes: {
    "the procedure's": [certificate()],
    "cert-manager's defaults": [certificate({ duration: undefined, renewBefore: undefined })],
  },
  refuses: {
    "one that is renewed at its beginning": [
      [certificate({ renewBefore: "2160h" })],
      'spec.renewBefore: "2160h" is not less than duration "2160h", so that the certificate would always be due; set a shorter one, such as 360h with a duration of 2160h',
    ],
    "more than cert-manager's usual duration": [
      [certificate({ duration: undefined, renewBefore: "2200h" })],
      'spec.renewBefore: "2200h" is not less than duration "2160h", so that the certificate would always be due; set a shorter one, such as 360h with a duration of 2160h',
    ],
    "other units": [
      [certificate({ duration: "24h", renewBefore: "1440m" })],
      'spec.renewBefore: "1440m" is not less than duration "24h", so that the certificate would always be due; set a shorter one, such as 360h with a duration of 2160h',
    ],
  },
  nearMisses: {
    "a minute less": [certificate({ duration: "24h", renewBefore: "1439m" })],
    "a Certificate of another namespace": [certificate({ renewBefore: "9999h" }, { namespace: "payments" })],
  },
});

const ASKED = 'and peers ask for a server\'s certificate; add "server auth"';

testRule(certificateForServers, {
  passes: { "the procedure's": [certificate()] },
  refuses: {
    "a client's": [
      [certificate({ usages: ["client auth", "digital signature"] })],
      `spec.usages: are client auth, digital signature, ${ASKED}`,
    ],
    "one without usages": [[certificate({ usages: undefined })], `spec.usages: are not set, ${ASKED}`],
    "one of another name for the endpoint's host": [
      [certificate({ secretName: "other", usages: ["client auth"] })],
      `spec.usages: are client auth, ${ASKED}`,
    ],
  },
  nearMisses: {
    "a client's of another purpose": [
      certificate({ secretName: "database", dnsNames: ["spire"], usages: ["client auth"] }),
    ],
    "the certificate of a CA": [
      object("cert-manager.io/v1", "Certificate", {
        spec: { isCA: true, commonName: "internal-ca", secretName: "internal-ca-key-pair" },
      }),
    ],
    "an Issuer": [
      object("cert-manager.io/v1", "Issuer", { spec: { ca: { secretName: "spire-server-federation-tls" } } }),
    ],
  },
});
