import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { contentOf, elements, NotDer } from "../../../components/bundle/der";
import { permittedDnsNames, subjectKeyId, uriNames } from "../../../components/bundle/x509Extensions";
import { issue, root } from "../issue";

const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((content) => Buffer.from(content));

describe("DER", () => {
  const encode = (tag: number, content: Buffer): Buffer => {
    const { length } = content;
    const digits = length < 0x80 ? [] : length < 0x100 ? [length] : [length >> 8, length & 0xff];
    return Buffer.concat([
      Buffer.from([tag, ...(digits.length > 0 ? [0x80 + digits.length, ...digits] : [length])]),
      content,
    ]);
  };
  const tag = fc.integer({ min: 0, max: 0xff }).filter((one) => (one & 0x1f) !== 0x1f);

  it("is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(tag, bytes(300))), (all) => {
        const der = Buffer.concat(all.map((one) => encode(...one)));
        expect(elements(der).map((one) => [one.tag, one.content])).toEqual(all);
      }),
    );
  });

  it("has one encoding: what is read is written again as the same bytes, or it is refused", () => {
    fc.assert(
      fc.property(bytes(40), (der) => {
        try {
          expect(Buffer.concat(elements(der).map((one) => encode(one.tag, one.content)))).toEqual(der);
        } catch (error) {
          expect(error).toBeInstanceOf(NotDer);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, number[]]>([
    ["an indefinite length", [0x30, 0x80, 0x00, 0x00]],
    ["a long length for a short content", [0x04, 0x81, 0x01, 0x00]],
    ["a length with a leading zero", [0x04, 0x82, 0x00, 0x80, ...Array<number>(128).fill(0)]],
    ["a length of five bytes", [0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00]],
    ["a length that is cut off", [0x04, 0x82, 0x01]],
    ["a content that is cut off", [0x04, 0x02, 0x00]],
    ["a tag alone", [0x04]],
    ["a tag of two bytes", [0x1f, 0x81, 0x00]],
  ])("has not %s", (_, der) => {
    expect(() => elements(Buffer.from(der))).toThrow(NotDer);
  });

  it("holds one element of the tag that is asked for", () => {
    expect(contentOf(Buffer.from([0x04, 0x01, 0x07]), 0x04)).toEqual(Buffer.from([7]));
    for (const der of [[], [0x05, 0x00], [0x04, 0x00, 0x04, 0x00]]) {
      expect(() => contentOf(Buffer.from(der), 0x04)).toThrow(NotDer);
    }
  });
});

describe("a certificate", () => {
  it("has the key id that its issuer has given it, of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (id) => {
        const { certificate } = issue("CA", { ca: true, keyId: Buffer.from(id) });
        expect(subjectKeyId(certificate.raw)).toBe(Buffer.from(id).toString("hex"));
      }),
      { numRuns: 30 },
    );
  });

  it("may have none", () => {
    expect(subjectKeyId(issue("CA", { keyId: null }).certificate.raw)).toBeUndefined();
  });

  it("has its URIs and no other names", () => {
    fc.assert(
      fc.property(
        fc.array(fc.webUrl(), { maxLength: 3 }),
        fc.array(fc.domain(), { maxLength: 3 }),
        (uris, dnsNames) => {
          expect(uriNames(issue("x", { uris, dnsNames }).certificate.raw)).toEqual(uris);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("with any one byte changed is read, or refused as no DER", () => {
    const der = root("apps.cluster1.example.com", { keyId: randomBytes(20) }).certificate.raw;
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      try {
        expect([subjectKeyId(changed), uriNames(changed)]).toHaveLength(2);
      } catch (error) {
        expect(error).toBeInstanceOf(NotDer);
      }
    }
  });

  it("that has an extension twice is refused: which one counts is not defined", () => {
    const der = issue("x", { uris: ["spiffe://a"], keyId: Buffer.from("id") }).certificate.raw;
    // The extension of the authority key becomes a second one of the names.
    const at = der.indexOf(Buffer.from("551d23", "hex"));
    der[at + 2] = 0x11;
    expect(() => uriNames(der)).toThrow("twice");
  });
});

describe("name constraints", () => {
  it("are the DNS names that are permitted, and none where there are no constraints", () => {
    const permitted = ["federation.example.com", ".example.org"];
    expect(permittedDnsNames(issue("ca", { ca: true, permitted }).certificate.raw)).toEqual(permitted);
    expect(permittedDnsNames(issue("ca", { ca: true }).certificate.raw)).toEqual([]);
  });
});
