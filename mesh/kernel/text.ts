/** Text that comes from clusters, for people to read. Pure. */

/** Control characters, and characters that are not seen or turn the direction of writing: with them a command looks like another one. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with each hidden character written out, as `\u{1b}`: a terminal acts on none of it. */
export const printable = (text: string): string =>
  text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** The text in lines of at most that many letters; a word that is longer has a line of its own. */
export function wrapped(text: string, width = 100): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
