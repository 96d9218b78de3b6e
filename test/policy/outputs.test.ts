import { generateKeyPairSync } from "node:crypto";
import { noSecretsInOutputs } from "../../policy/outputs";
import { object, resource, testRule } from "./cases";

const stack = (outputs: Record<string, unknown>) => resource("pulumi:pulumi:Stack", outputs);
const component = (outputs: Record<string, unknown>) => resource("example:index:Mesh", outputs);

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ format: "pem", type: "pkcs8" });
const jwk = privateKey.export({ format: "jwk" });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = `${part({ alg: "RS256", kid: "1" })}.${part({ sub: "system:serviceaccount:a:b" })}.c2lnbmF0dXJl`;

const is = (what: string): string =>
  `is ${what}, and everybody who reads the stack has it; remove the output, and keep it in one place`;

testRule(noSecretsInOutputs, {
  passes: {
    "what a stack of this project publishes": [
      stack({
        federation: { version: 1, trustDomain: "apps.cluster1.example.com", profile: "https_web" },
        certificateSecret: "zero-trust-workload-identity-manager/spire-server-federation-tls",
        peers: { cluster2: { fingerprints: ["9f2c"] } },
        pendingPeers: [],
      }),
    ],
  },
  refuses: {
    "a private key": [[stack({ tls: { key: pem } })], `outputs.tls.key: ${is("a private key")}`],
    "a private key as a Secret has it": [
      [stack({ data: [Buffer.from(pem).toString("base64")] })],
      `outputs.data[0]: ${is("a private key")}`,
    ],
    "a private key among a bundle's keys": [
      [stack({ bundle: JSON.stringify({ keys: [jwk] }), key: jwk })],
      `outputs.bundle: ${is("a private key")}`,
      `outputs.key: ${is("a private key")}`,
    ],
    "a ServiceAccount's token, of a component": [
      [component({ kubeconfig: `token: ${token}` })],
      `outputs.kubeconfig: ${is("a token")}`,
    ],
    "the password of SPIRE's database": [
      [stack({ database: "postgresql://spire:hunter2@db.example.com/spire" })],
      `outputs.database: ${is("a password")}`,
    ],
    "the same as PostgreSQL's keywords": [
      [stack({ database: "host=db.example.com dbname=spire password=hunter2" })],
      `outputs.database: ${is("a password")}`,
    ],
    "what is called one": [[stack({ adminPassword: "hunter2" })], `outputs.adminPassword: ${is("a password")}`],
  },
  nearMisses: {
    "certificates and public keys": [
      stack({
        roots: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        key: publicKey.export({ format: "pem", type: "spki" }),
        bundle: JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }),
      }),
    ],
    "names of Secrets": [stack({ tokenSecretName: "ci-token", passwordSecret: "db" })],
    "a URL with a user, and a database without a password": [
      stack({
        repository: "ssh://git@example.com/x",
        database: "postgresql://db.example.com/spire?sslmode=verify-full",
      }),
    ],
    "an image with tag and digest, and prose": [
      stack({ image: "spire-server:1.14.5@sha256:9f2c", owner: "owner: ops@example.com" }),
    ],
    "an object's own fields: they are not published": [object("v1", "Secret", { data: { "tls.key": pem } })],
  },
});
