/** A bundle that is taken here is one for SPIRE, and the same one: both readers are asked about bundles in which anything may be odd. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import fc from "fast-check";
import { parseTrustBundle } from "../../components/bundle/trustBundle";
import { issue, root, rootKey } from "../components/issue";
import { mutateOne, mutations, runs, valueAt } from "../mesh/mutation";
import { tool } from "./pipelines";

jest.setTimeout(600_000); // built here where it is not yet

const trustDomain = "apps.cluster2.example.com";
const now = new Date();
const jwt = (id: string, jwk: object): object => ({ use: "jwt-svid", kid: id, ...jwk });
const served = {
  keys: [
    rootKey(root(trustDomain)),
    rootKey(root(trustDomain, { keyType: "rsa" })),
    rootKey(issue("an upstream CA", { ca: true, permitted: ["example.com"], dnsNames: ["ca.example.com"] })),
    jwt("k1", generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" })),
    jwt("k2", generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" })),
  ],
  spiffe_sequence: 7,
  spiffe_refresh_hint: 300,
};

/** A byte of a certificate is another one, is missing or is there twice. */
const oddByte = fc.tuple(fc.nat(2), fc.nat(), fc.uint8Array({ maxLength: 2 })).map(([index, at, bytes]) => {
  const bundle = structuredClone(served);
  const x5c = valueAt(bundle, ["keys", index, "x5c"]) as string[];
  const der = Buffer.from(x5c[0] ?? "", "base64");
  const place = at % der.length;
  x5c[0] = Buffer.concat([der.subarray(0, place), bytes, der.subarray(place + 1)]).toString("base64");
  return JSON.stringify(bundle);
});

/** A key says more than it has to, such as what only one of the readers takes for one of its members. */
const further = fc
  .tuple(
    fc.nat(served.keys.length - 1),
    fc.constantFrom("Use", "KID", "X5C", "x5t", "x5t#S256", "x5u", "alg", "key_ops", "D", "N", "crv", "\u212Aty"),
    fc.constantFrom<unknown>(...served.keys.flatMap((key) => Object.values(key) as unknown[]), null, 0, "AA", ["AA"]),
  )
  .map(([index, member, value]) => {
    const keys: object[] = structuredClone(served.keys);
    keys[index] = { ...keys[index], [member]: value };
    return JSON.stringify({ ...served, keys });
  });

const odd = fc.oneof(
  oddByte,
  further,
  mutations.map((mutation) => {
    const bundle = structuredClone(served);
    mutateOne(bundle, mutation);
    return JSON.stringify(bundle);
  }),
);

interface Read {
  roots: string[];
  jwtKeys: Record<string, string>;
  refused?: string;
}

let program: ChildProcessByStdio<Writable, Readable, null>;
let answers: AsyncIterator<string>;

beforeAll(() => {
  program = spawn(tool("go-spiffe"), { stdio: ["pipe", "pipe", "inherit"] });
  answers = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
});
afterAll(() => {
  program.stdin.end();
});

/** What SPIRE reads in a bundle. */
async function readBySpire(jwks: string): Promise<Read> {
  program.stdin.write(`${JSON.stringify({ trustDomain, jwks })}\n`);
  const { value } = (await answers.next()) as IteratorYieldResult<string>;
  return JSON.parse(value) as Read;
}

test("SPIRE reads what is given to it as it was judged here", async () => {
  let taken = 0;
  const property = fc.asyncProperty(odd, async (text) => {
    const judged = parseTrustBundle(text, trustDomain, now);
    if (Array.isArray(judged)) return;
    const read = await readBySpire(judged.jwks);
    // Go is stricter about certificates than OpenSSL. Such a peer is trusted by nobody until it is mended.
    if (read.refused?.includes("x509: ")) return;
    taken += 1;
    expect(read).toEqual({
      roots: judged.fingerprints,
      jwtKeys: Object.fromEntries(judged.jwtKeys.map(({ id, fingerprint }) => [id, fingerprint])),
    });
  });
  await fc.assert(property, { ...runs(2_000), examples: [[JSON.stringify(served)]] });
  expect(taken).toBeGreaterThan(200);
});
