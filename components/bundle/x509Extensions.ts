/**
 * Extensions of a certificate that Node doesn't show, or shows as a text that has to be parsed again. Pure; all functions
 * throw NotDer for what is no certificate in DER.
 */
import { contentOf, type Element, elements, NotDer } from "./der";

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
/** `[3] EXPLICIT` of a TBSCertificate (RFC 5280, section 4.1). */
const EXTENSIONS = 0xa3;
/** `[6] IMPLICIT IA5String` of a GeneralName (RFC 5280, section 4.2.1.6). */
const URI = 0x86;

/** `[2] IMPLICIT IA5String` of a GeneralName. */
const DNS_NAME = 0x82;
/** `permittedSubtrees [0]` of NameConstraints (RFC 5280, section 4.2.1.10). */
const PERMITTED = 0xa0;

/** Object identifiers (2.5.29.14, 17 and 30) as DER has them, in hexadecimal. */
const SUBJECT_KEY_IDENTIFIER = "551d0e";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const NAME_CONSTRAINTS = "551d1e";

/**
 * The subject key identifier in hexadecimal, or undefined when the certificate has none.
 *
 * It is what its issuer has made it, in any way (RFC 5280 and RFC 7093 name several). SPIRE names authorities by it.
 */
export function subjectKeyId(certificate: Buffer): string | undefined {
  const extension = extensionsOf(certificate).get(SUBJECT_KEY_IDENTIFIER);
  return extension === undefined ? undefined : contentOf(extension, OCTET_STRING).toString("hex");
}

/** All URIs among the subject alternative names. */
export function uriNames(certificate: Buffer): string[] {
  const extension = extensionsOf(certificate).get(SUBJECT_ALTERNATIVE_NAME);
  if (extension === undefined) return [];
  return elements(contentOf(extension, SEQUENCE)).flatMap(({ tag, content }) =>
    tag === URI ? [content.toString("latin1")] : [],
  );
}

/** The DNS names for which a CA may sign, with all names below them; empty: for any. */
export function permittedDnsNames(certificate: Buffer): string[] {
  const extension = extensionsOf(certificate).get(NAME_CONSTRAINTS);
  if (extension === undefined) return [];
  const subtrees = elements(contentOf(extension, SEQUENCE)).flatMap(({ tag, content }) =>
    tag === PERMITTED ? elements(content) : [],
  );
  return subtrees.flatMap(({ tag, content }) => {
    const [base, ...bounds] = elements(content);
    // RFC 5280 has no other bounds than the default ones, which DER leaves out.
    if (tag !== SEQUENCE || base === undefined || bounds.length > 0) throw new NotDer("a subtree is not one name");
    return base.tag === DNS_NAME ? [base.content.toString("latin1")] : [];
  });
}

/** The value of each extension by its object identifier. */
function extensionsOf(certificate: Buffer): Map<string, Buffer> {
  const [tbs] = elements(contentOf(certificate, SEQUENCE));
  if (tbs?.tag !== SEQUENCE) throw new NotDer("is no certificate");
  const found = new Map<string, Buffer>();
  for (const { tag, content } of elements(tbs.content)) {
    if (tag !== EXTENSIONS) continue;
    for (const extension of elements(contentOf(content, SEQUENCE))) {
      const [id, value] = readExtension(extension);
      // Which of two would count is not defined, and Go, in which SPIRE is written, refuses such a certificate.
      if (found.has(id)) throw new NotDer(`extension ${id} occurs twice`);
      found.set(id, value);
    }
  }
  return found;
}

function readExtension({ tag, content }: Element): [id: string, value: Buffer] {
  const [id, ...rest] = elements(content);
  const [value, ...more] = rest[0]?.tag === BOOLEAN ? rest.slice(1) : rest;
  if (tag !== SEQUENCE || id?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING || more.length > 0) {
    throw new NotDer("an extension is not an identifier and a value");
  }
  return [id.content.toString("hex"), value.content];
}
