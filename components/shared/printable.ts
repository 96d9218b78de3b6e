/** Text that comes from clusters and from other stacks, for people to read. Pure. */

/** Control characters, and characters that are not seen or turn the direction of writing: with them a command looks like another one. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with each hidden character written out, as `\u{1b}`: a terminal acts on none of it. */
export const printable = (text: string): string =>
  text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
