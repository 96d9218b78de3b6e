import { shown } from "../../../mesh/kernel/redact";
import { redactedText } from "../../../mesh/kernel/redactedText";

const SECRET = "hunter2";
const LONG = "hunter2hunter2hunter2";
const PEM = `-----BEGIN EC PRIVATE KEY-----\n${LONG}\n-----END EC PRIVATE KEY-----`;

test.each<[string, string, unknown]>([
  ["a field", "spec.datastore.connectionString", `postgres://user:${SECRET}@db`],
  ["a field below a path", "spec.password[0].value", SECRET],
  ["a missing object", "spec.datastore", { databaseType: "postgres", connectionString: SECRET }],
  ["an entry of a list", "spec.list", [{ nested: [{ clientSecret: SECRET }] }]],
  ["a URL under any name", "spec.upstream", { address: `https://user:${SECRET}@vault.example.com` }],
  ["an option in a text", "spec.args", [`--dsn=host=db password=${SECRET} user=x`]],
  ["a connection string under another name", "spec.dsn", `Server=db;Password=${SECRET};Encrypt=true`],
  ["a token", "spec.auth", { tokenAuth: { token: SECRET } }],
  ["a key", "spec", { apiKey: SECRET, private_key: SECRET, secretKey: SECRET, connection_string: SECRET }],
])("%s that may be a secret is not shown", (_, path, value) => {
  expect(shown(path, value)).toContain("(not shown)");
  expect(shown(path, value)).not.toContain(SECRET);
});

test("of a Secret nothing is shown", () => {
  expect(shown("data.tls", SECRET, true)).toBe("(not shown)");
});

test.each<[string, unknown]>([
  ["spec.acme.privateKeySecretRef.name", "letsencrypt-account-key"],
  ["spec.tls.externalCertificate.name", "spire-server-federation-tls"],
  ["rules[0].resources", ["secrets"]],
  ["spec.federation.bundleEndpoint.httpsWeb.servingCert.externalSecretRef", "it"],
  ["spec.url", "https://example.com:8443/a@b"],
])("%s only leads to one, and is shown", (path, value) => {
  expect(shown(path, value)).toBe(JSON.stringify(value));
});

test.each([
  ["a password with an @ and a slash", `postgres://u:p@${SECRET}@h/db`, "postgres://u:(not shown)@h/db"],
  ["a slash in it", `postgres://u:${SECRET}/x@h/db`, "postgres://u:(not shown)@h/db"],
  ["a longer key", `db_password=${SECRET} user=x`, "db_password=(not shown) user=x"],
  ["JSON", `{"level":"error","password": "${SECRET}\\"${SECRET}"}`, `{"level":"error","password": "(not shown)"}`],
  ["a bearer token", `Authorization: Bearer ${LONG}`, "Authorization: Bearer (not shown)"],
  ["a JWT", `sent eyJhbGciOiJFUzI1NiJ9.${LONG}.${LONG} to it`, "sent (not shown) to it"],
  ["a private key", `key ${PEM} end`, "key (not shown) end"],
  ["a private key in one line", `key ${PEM.replaceAll("\n", "\\n")} end`, "key (not shown) end"],
  ["a private key without its end", PEM.slice(0, -10), "(not shown)"],
  ["JSON in a string", `msg="{\\"api_key\\":\\"${SECRET}\\"}"`, `msg="{\\"api_key\\":\\"(not shown)\\"}"`],
])("%s in a text", (_, text, expected) => {
  expect(redactedText(text)).toBe(expected);
  expect(redactedText(expected)).toBe(expected);
});

test.each([
  "https://example.com:8443/a@b",
  "https://[2001:db8::1]:8443/a@b",
  "spiffe://a.example.com/spire/server",
  "oc -n x get secret spire-server-federation-tls -o jsonpath='{.data.tls\\.crt}'",
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "Basic authentication is not used; bearer of bad news",
  "certificate of SHA-256 ab12; secret: it is not there",
])("%s has none", (text) => {
  expect(redactedText(text)).toBe(text);
});

test("what is around a secret stays", () => {
  expect(redactedText("postgres://me:x@db:5432/spire?sslmode=require")).toBe(
    "postgres://me:(not shown)@db:5432/spire?sslmode=require",
  );
});
