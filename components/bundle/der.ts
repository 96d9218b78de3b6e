/** Reads DER (ITU-T X.690, section 10) as strictly as X.509 needs it: one encoding for one value. Pure. */

export interface Element {
  /** Class, form and number in one byte, such as 0x30 for a SEQUENCE. */
  tag: number;
  content: Buffer;
}

/** The bytes are not DER, or not the structure that was expected. */
export class NotDer extends Error {}

/** All elements, one after the other. @throws NotDer */
export function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length;) {
    const { element, end } = elementAt(der, at);
    found.push(element);
    at = end;
  }
  return found;
}

/** The content of the one element that is there, which has this tag. @throws NotDer */
export function contentOf(der: Buffer, tag: number): Buffer {
  const [element, ...more] = elements(der);
  if (element?.tag !== tag || more.length > 0) throw new NotDer(`expected one element with tag ${hex(tag)}`);
  return element.content;
}

function elementAt(der: Buffer, at: number): { element: Element; end: number } {
  const tag = byteAt(der, at);
  // Nothing in a certificate has a tag number above 30.
  if ((tag & 0x1f) === 0x1f) throw new NotDer(`tag ${hex(tag)} has more than one byte`);
  const { length, begin } = lengthAt(der, at + 1);
  const end = begin + length;
  if (end > der.length) throw new NotDer(`an element of ${length} bytes ends after its container`);
  return { element: { tag, content: der.subarray(begin, end) }, end };
}

function lengthAt(der: Buffer, at: number): { length: number; begin: number } {
  const first = byteAt(der, at);
  if (first < 0x80) return { length: first, begin: at + 1 };
  const digits = first - 0x80;
  if (digits < 1 || digits > 4) throw new NotDer(`length ${hex(first)} is indefinite or too long`);
  const begin = at + 1 + digits;
  if (begin > der.length) throw new NotDer("a length is cut off");
  const length = der.readUIntBE(at + 1, digits);
  if (length < 0x80 || length < 2 ** (8 * (digits - 1))) throw new NotDer("a length has more bytes than it needs");
  return { length, begin };
}

function byteAt(der: Buffer, at: number): number {
  const byte = der[at];
  if (byte === undefined) throw new NotDer("an element is cut off");
  return byte;
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;
