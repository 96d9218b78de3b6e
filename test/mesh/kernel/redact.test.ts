import { redactedText, shown } from "../../../mesh/kernel/redact";

const SECRET = "hunter2";

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

test("what is around a secret stays", () => {
  expect(redactedText("postgres://me:x@db:5432/spire?sslmode=require")).toBe(
    "postgres://me:(not shown)@db:5432/spire?sslmode=require",
  );
});
