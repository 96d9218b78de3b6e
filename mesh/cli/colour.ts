/** Colours of marks and states, which say the same without them. Pure. */
import { styleText } from "node:util";

const COLOURS = {
  red: ["×", "unhealthy", "failed"],
  yellow: ["?", "!", "unknown", "pending", "unsettled", "leaving"],
  green: ["√", "healthy", "complete", "clean"],
} as const;

type Colour = keyof typeof COLOURS;

const colourOf = new Map<string, Colour>(
  (Object.keys(COLOURS) as Colour[]).flatMap((colour) => COLOURS[colour].map((word) => [word, colour] as const)),
);

const any = (words: readonly string[]): string => words.map((word) => word.replace(/[?!]/, "\\$&")).join("|");
const MARKS = any([...colourOf.keys()].filter((word) => word.length === 1));
const STATES = any([...colourOf.keys()].filter((word) => word.length > 1));

/** A mark that begins a line; a state that is the second column of a table, or ends a heading after a colon. */
const PLACES = [
  `(?<=^ *)(?:${MARKS})(?= )`,
  `(?<=^\\S+ {2,})(?:${STATES})(?=[ :,]|$)`,
  `(?<=^\\S[^\\n]*: )(?:${STATES})$`,
];
const COLOURED = new RegExp(PLACES.join("|"), "gm");

export const coloured = (text: string): string =>
  text.replace(COLOURED, (word) => styleText(colourOf.get(word) ?? "reset", word, { validateStream: false }));
