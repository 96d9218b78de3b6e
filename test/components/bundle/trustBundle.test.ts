import { createHash, createPublicKey, generateKeyPairSync, type JsonWebKey } from "node:crypto";
import fc from "fast-check";
import { bundleFromCertificates, parseTrustBundle, type TrustBundle } from "../../../components/bundle/trustBundle";
import type { Problem } from "../../../components/shared/problem";
import { issue, type Issued, root, rootKey } from "../issue";

const DOMAIN = "apps.cluster2.example.com";
const HOUR = 3600 * 1000;
const now = new Date();
const ec = root(DOMAIN);
const rsa = root(DOMAIN, { keyType: "rsa" });
const material = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const jwtKey = { use: "jwt-svid", kid: "k1", ...material };
const otherMaterial = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const numbers = { spiffe_sequence: 1, spiffe_refresh_hint: 300 };

function parse(keys: unknown[], trustDomain = DOMAIN): TrustBundle | Problem[] {
  return parseTrustBundle(JSON.stringify({ keys, ...numbers }), trustDomain, now);
}

/** The problems, as "path message". */
function problems(result: TrustBundle | Problem[]): string[] {
  return Array.isArray(result) ? result.map(({ path, message }) => `${path} ${message}`) : [];
}

describe("a bundle that may be trusted", () => {
  it("keeps every key, and names each by its SHA-256", () => {
    const keys = [rootKey(rsa), rootKey(ec), jwtKey];
    const bundle = parse(keys) as TrustBundle;
    expect(JSON.parse(bundle.jwks)).toEqual({ keys, ...numbers });
    const spki = createPublicKey({ key: material, format: "jwk" }).export({ type: "spki", format: "der" });
    expect(bundle.jwtKeys).toEqual([{ id: "k1", fingerprint: createHash("sha256").update(spki).digest("hex") }]);
    expect(bundle.fingerprints).toEqual(
      [rsa, ec].map(({ certificate }) => certificate.fingerprint256.replaceAll(":", "").toLowerCase()),
    );
  });

  it("gives one text, whatever the order of the members", () => {
    const swapped = Object.fromEntries(Object.entries(rootKey(ec)).reverse());
    expect(parse([swapped])).toEqual(parse([rootKey(ec)]));
  });

  it("may hold expired roots beside a valid one: SPIRE serves a root for 24 h after its end", () => {
    const old = root(DOMAIN, {
      notBefore: new Date(now.getTime() - 30 * HOUR),
      notAfter: new Date(now.getTime() - HOUR),
    });
    expect((parse([rootKey(old), rootKey(ec)]) as TrustBundle).fingerprints).toHaveLength(2);
  });

  it("gives SPIRE nothing but the members that are checked", () => {
    const evil = root("evil.example.com");
    const text = JSON.stringify({
      keys: [
        { ...rootKey(ec), kid: "x", x5t: "AAAA", Use: "jwt-svid", note: { deep: [1] } },
        { ...jwtKey, alg: "none", X5C: rootKey(evil)["x5c"] },
        { use: "wit-svid", kty: "EC" },
        { kty: "EC" },
      ],
      Keys: [rootKey(evil)],
      "key\u017f": [rootKey(evil)],
      Spiffe_Refresh_Hint: 1e9,
      refresh_hint: 1e9,
      ...numbers,
    });
    const { jwks } = parseTrustBundle(text, DOMAIN, now) as TrustBundle;
    expect(JSON.parse(jwks)).toEqual({ keys: [rootKey(ec), jwtKey], ...numbers });
  });

  it("is what was judged where a member is there twice", () => {
    const text = JSON.stringify({ keys: [rootKey(ec)] }).replace(/^{/, `{"keys":[${JSON.stringify(jwtKey)}],`);
    const bundle = parseTrustBundle(text, DOMAIN, now) as TrustBundle;
    expect(JSON.parse(bundle.jwks)).toEqual({ keys: [rootKey(ec)] });
    expect(bundle.jwtKeys).toEqual([]);
  });

  it.each<[string, JsonWebKey]>([
    ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" })],
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" })],
  ])("may hold a JWT key of %s", (_, key) => {
    const keys = [rootKey(ec), { use: "jwt-svid", kid: "k2", ...key }];
    expect(JSON.parse((parse(keys) as TrustBundle).jwks)).toEqual({ keys, ...numbers });
  });

  it.each<[string, Issued]>([
    ["no names at all", issue("Corporate Root CA", { ca: true })],
    ["a URI that is no SPIFFE ID", issue("CA", { ca: true, uris: ["https://pki.example.com/spiffe://x"] })],
    ["a key of another kind", issue("CA", { ca: true, keyType: "ed25519" })],
    ["no key id", issue("CA", { ca: true, keyId: null })],
  ])("may hold an upstream CA's root, which has %s", (_, upstream) => {
    const { fingerprints } = parse([rootKey(upstream), jwtKey]) as TrustBundle;
    expect(fingerprints).toEqual([upstream.certificate.fingerprint256.replaceAll(":", "").toLowerCase()]);
  });

  it("may hold an upstream CA's root beside one that SPIRE signed before", () => {
    expect((parse([rootKey(ec), rootKey(issue("Root", { ca: true }))]) as TrustBundle).fingerprints).toHaveLength(2);
  });

  it("may be one of an earlier day, where its expiry is not asked", () => {
    const past = root(DOMAIN, {
      notBefore: new Date(now.getTime() - 2 * HOUR),
      notAfter: new Date(now.getTime() - HOUR),
    });
    const text = JSON.stringify({ keys: [rootKey(past)] });
    expect(problems(parseTrustBundle(text, DOMAIN))).toEqual([]);
    expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([expect.stringContaining("no root that is valid")]);
  });

  it("can be made of PEM certificates alone", () => {
    const bundle = parseTrustBundle(bundleFromCertificates([ec.pem, rsa.pem]), DOMAIN, now) as TrustBundle;
    expect((JSON.parse(bundle.jwks) as { keys: unknown[] }).keys).toEqual([rootKey(ec), rootKey(rsa)]);
  });
});

describe("a bundle that is refused", () => {
  const pss = root(DOMAIN, { keyType: "rsa-pss" });
  const past = root(DOMAIN, {
    notBefore: new Date(now.getTime() - 2 * HOUR),
    notAfter: new Date(now.getTime() - HOUR),
  });
  const future = root(DOMAIN, {
    notBefore: new Date(now.getTime() + HOUR),
    notAfter: new Date(now.getTime() + 2 * HOUR),
  });
  const { x5c: certificate, ...bare } = rootKey(ec);
  const [short, long] = [1024, 2048].map((modulusLength) =>
    generateKeyPairSync("rsa", { modulusLength }).publicKey.export({ format: "jwk" }),
  );

  it.each<[string, unknown[], string]>([
    ["no key", [], "bundle.keys is empty"],
    ["only keys for JWT-SVIDs", [jwtKey], "bundle.keys has no x509-svid key"],
    ["a key that is no object", [7], "bundle.keys[0] is not a JWK"],
    ["no certificate", [bare], "bundle.keys[0].x5c is not one certificate"],
    [
      "two certificates in a key",
      [{ ...bare, x5c: [certificate, certificate].flat() }],
      "bundle.keys[0].x5c is not one",
    ],
    ["a certificate that is none", [{ ...bare, x5c: ["AAAA"] }], "bundle.keys[0].x5c cannot be read"],
    ["another key than the certificate's", [{ ...rootKey(ec), x: rootKey(root(DOMAIN))["x"] }], "its key differs from"],
    ["another modulus", [{ ...rootKey(rsa), n: "AQAB" }], "its key differs from"],
    ["a leaf", [rootKey(root(DOMAIN, { ca: false }))], "is not a CA's certificate"],
    [
      "another trust domain",
      [rootKey(root("evil.example.com"))],
      `is of spiffe://evil.example.com; the bundle must be of spiffe://${DOMAIN}`,
    ],
    ["a trust domain that only begins like it", [rootKey(root(`${DOMAIN}.evil.example.com`))], "must be of spiffe://"],
    ["a path after the trust domain", [rootKey(root(`${DOMAIN}/x`))], "must be of spiffe://"],
    [
      "two names",
      [rootKey(root(DOMAIN, { uris: [`spiffe://${DOMAIN}`, "spiffe://evil.example.com"] }))],
      "must be of spiffe://",
    ],
    [
      "another trust domain beside names of other kinds",
      [
        rootKey(
          issue("CA", {
            ca: true,
            uris: ["https://pki.example.com", "spiffe://evil.example.com"],
            dnsNames: ["pki.example.com"],
          }),
        ),
      ],
      "is of spiffe://evil.example.com;",
    ],
    ["a trust domain in capitals", [rootKey(root(DOMAIN, { uris: ["SPIFFE://evil.example.com"] }))], "is of SPIFFE://"],
    [
      "a name that Node quotes",
      [rootKey(root(DOMAIN, { uris: ["spiffe://evil,DNS:x"] }))],
      "is of spiffe://evil,DNS:x",
    ],
    ["a name with a control character", [rootKey(root(DOMAIN, { uris: ["spiffe://evil\u001b[2J"] }))], "\\u001b[2J"],
    ["a certificate in PEM", [{ ...bare, x5c: [Buffer.from(ec.pem).toString("base64")] }], "x5c cannot be read"],
    [
      "something after its certificate",
      [{ ...bare, x5c: [Buffer.concat([ec.certificate.raw, Buffer.from("x")]).toString("base64")] }],
      "x5c cannot be read",
    ],
    [
      "a key of a kind that no JWK has",
      [{ ...bare, x5c: [pss.certificate.raw.toString("base64")] }],
      "no JWK can have",
    ],
    ["only an expired root", [rootKey(past)], "has no root that is valid at"],
    ["only a root of the future", [rootKey(future)], "has no root that is valid at"],
    ["a jwt-svid key without kid", [rootKey(ec), { ...jwtKey, kid: "" }], "bundle.keys[1].kid is missing"],
    ["a jwt-svid key that is no more than its id", [rootKey(ec), { use: "jwt-svid", kid: "k" }], "keys[1].kty is not"],
    ["a kind of key that is none", [rootKey(ec), { ...jwtKey, kty: "constructor" }], "keys[1].kty is not a kind"],
    ["a symmetric key", [rootKey(ec), { use: "jwt-svid", kid: "k", kty: "oct" }], "keys[1].kty is not a kind"],
    ["a point that is not on its curve", [rootKey(ec), { ...jwtKey, x: "AAAA" }], "keys[1] is not a public key"],
    ["a curve that is none", [rootKey(ec), { ...jwtKey, crv: "secp256k1" }], "keys[1] is not a public key"],
    ["half a character as kid", [rootKey(ec), { ...jwtKey, kid: "\ud800" }], "keys[1].kid is not valid Unicode"],
    ["a short modulus", [rootKey(ec), { use: "jwt-svid", kid: "k", ...short }], "keys[1] is not a public key"],
    ["an exponent of one", [rootKey(ec), { use: "jwt-svid", kid: "k", ...long, e: "AQ" }], "keys[1] is not a public"],
    [
      "an exponent that Go cannot keep",
      [rootKey(ec), { use: "jwt-svid", kid: "k", ...long, e: "AQAAAAAAAAAB" }],
      "keys[1] is not a public key",
    ],
    ["a root twice", [rootKey(ec), rootKey(ec)], "bundle.keys[1] has the same certificate as bundle.keys[0]"],
    [
      "two keys of one kid",
      [rootKey(ec), jwtKey, { ...jwtKey, ...otherMaterial }],
      "bundle.keys[2] has the same kid as bundle.keys[1]",
    ],
    ["10,000 keys", Array.from({ length: 10_000 }, () => 0), "bundle.keys has 10000 keys; at most 500 are taken"],
  ])("has %s", (_, keys, message) => {
    const said = problems(parse(keys));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(message);
  });

  it.each(["d", "p", "q", "dp", "dq", "qi", "k", "oth"])("carries the private member %s", (member) => {
    for (const key of [rootKey(ec), jwtKey]) {
      expect(problems(parse([rootKey(ec), { ...key, [member]: "AAAA" }])).join()).toContain(
        `private key material (${member})`,
      );
    }
  });

  it.each(["", "nope", "[]", "7", "null", '{"keys":{}}', "<html>"])("is not a JWKS: %s", (text) => {
    expect(problems(parseTrustBundle(text, DOMAIN, now)).join()).toContain("is not a JWKS");
  });

  it("is larger than any bundle", () => {
    const text = JSON.stringify({ keys: [rootKey(ec)], padding: "x".repeat(10_000_000) });
    expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([
      expect.stringContaining("is larger than 1048576 bytes"),
    ]);
  });

  it.each(["18446744073709551615", "-1", "1.5", '"1"', "null", "9007199254740992"])("has sequence %s", (sequence) => {
    const text = JSON.stringify({ keys: [rootKey(ec)] }).replace(/}$/, `,"spiffe_sequence":${sequence}}`);
    expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([expect.stringContaining("below 2^53")]);
  });

  it.each(["59", "3601", "1e9", '"300"', "60.5"])("has refresh hint %s", (hint) => {
    const text = JSON.stringify({ keys: [rootKey(ec)] }).replace(/}$/, `,"spiffe_refresh_hint":${hint}}`);
    expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([expect.stringContaining("60 to 3600 seconds")]);
  });

  it("has 9,000 brackets in each other", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const deep = `${open.repeat(9000)}1${close.repeat(9000)}`;
      const text = JSON.stringify({ keys: [rootKey(ec)] }).replace(/}$/, `,"note":${deep}}`);
      expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([expect.stringContaining("nested more than 20")]);
    }
  });

  it("may have brackets in a text", () => {
    const text = JSON.stringify({ keys: [rootKey(ec)], note: '\\"' + "[".repeat(100) });
    expect(problems(parseTrustBundle(text, DOMAIN, now))).toEqual([]);
  });

  it("is cut off", () => {
    const text = JSON.stringify({ keys: [rootKey(ec)] });
    expect(problems(parseTrustBundle(text.slice(0, -20), DOMAIN, now))).toEqual([
      expect.stringContaining("is not a JWKS"),
    ]);
  });

  it("names all problems of all keys together", () => {
    const said = problems(
      parse([{ ...rootKey(root("evil.example.com", { ca: false })), d: "AAAA" }, { use: "jwt-svid" }]),
    );
    expect(said.map((line) => line.split(" ")[0])).toEqual([
      "bundle.keys[0]",
      "bundle.keys[0].x5c",
      "bundle.keys[0].x5c",
      "bundle.keys[1].kid",
    ]);
  });
});

describe("whatever an endpoint serves", () => {
  const member = fc.oneof(
    fc.constant(rootKey(ec)),
    fc.constant(jwtKey),
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom("use", "kty", "x5c", "kid", "d", "n", "e", "x", "y"),
      fc.oneof(
        fc.constantFrom("x509-svid", "jwt-svid", ...(rootKey(ec)["x5c"] as string[])),
        fc.array(fc.string()),
        fc.jsonValue(),
      ),
    ),
  );

  it("gives a bundle or problems, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.record({ keys: fc.array(member) }).map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const result = parseTrustBundle(text, DOMAIN, now);
          expect(Array.isArray(result) ? result.length : result.fingerprints.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("never lets a private member through", () => {
    fc.assert(
      fc.property(fc.array(member), fc.constantFrom("d", "k", "oth"), fc.nat(), (keys, name, at) => {
        const all: unknown[] = [rootKey(ec), ...keys];
        const index = at % all.length;
        all[index] = { ...rootKey(ec), [name]: "secret" };
        expect(problems(parse(all)).join()).toContain("private key material");
      }),
    );
  });

  it("is refused exactly when a root has the name of another trust domain", () => {
    const uri = fc.constantFrom(
      `spiffe://${DOMAIN}`,
      "spiffe://evil.example.com",
      "https://x",
      `spiffe://${DOMAIN}/a`,
      "urn:x",
    );
    fc.assert(
      fc.property(fc.array(fc.array(uri, { maxLength: 3 }), { minLength: 1, maxLength: 3 }), (names) => {
        const said = parse(names.map((uris) => rootKey(issue("CA", { ca: true, uris }))));
        const foreign = names.flat().some((name) => name.startsWith("spiffe:") && name !== `spiffe://${DOMAIN}`);
        expect(Array.isArray(said)).toBe(foreign);
      }),
      { numRuns: 50 },
    );
  });

  it("reads its own text to the same bundle", () => {
    fc.assert(
      fc.property(fc.subarray([rootKey(rsa), jwtKey, { use: "other" }]), (rest) => {
        const bundle = parse([rootKey(ec), ...rest]) as TrustBundle;
        expect(parseTrustBundle(bundle.jwks, DOMAIN, now)).toEqual(bundle);
      }),
    );
  });

  /** Each value of a JSON text that is no object and no list, by the path that leads to it. */
  const leaves = (value: unknown, path: (string | number)[] = []): (string | number)[][] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]))
      : [path];
  const whole = {
    keys: [rootKey(ec), rootKey(rsa), jwtKey, { use: "jwt-svid", kid: "k2", ...otherMaterial }],
    ...numbers,
  };
  /** Some byte of what is written in base64 is another one. */
  const damaged = (value: unknown, at: number): unknown => {
    if (typeof value !== "string") return value;
    const bytes = Buffer.from(value, "base64");
    if (bytes.length > 0) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << (at % 8));
    return bytes.toString("base64");
  };

  it("gives a bundle that reads as itself, or problems, whichever of its values is another one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...leaves(whole)),
        fc.oneof(
          fc.jsonValue().map((value) => () => value),
          fc.nat().map((at) => (value: unknown) => damaged(value, at)),
        ),
        (path, change) => {
          const copy = structuredClone(whole) as unknown;
          const last = path.at(-1) ?? "";
          const parent = path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], copy);
          (parent as Record<string, unknown>)[last] = change((parent as Record<string, unknown>)[last]);
          const bundle = parseTrustBundle(JSON.stringify(copy), DOMAIN, now);
          if (!Array.isArray(bundle)) expect(parseTrustBundle(bundle.jwks, DOMAIN, now)).toEqual(bundle);
          else expect(bundle.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
