/** Colours of marks and states, which say the same without them. Pure. */
import { styleText } from "node:util";

type Colour = "red" | "yellow" | "green";

const COLOURS = new Map<Colour, readonly string[]>([
  ["red", ["×", "unhealthy", "failed"]],
  ["yellow", ["?", "!", "unknown", "pending", "unsettled"]],
  ["green", ["√", "healthy", "complete", "clean"]],
]);

/** A mark that begins a line; a state that is the second column of a table, or ends a heading after a colon. */
const PLACES = /(?<=^ *)[×?!√](?= )|(?<=^\S+ {2,})\w+(?=[ :,]|$)|(?<=^\S.*: )\w+$/gm;

export const coloured = (text: string): string =>
  text.replace(PLACES, (word) => {
    const [colour] = [...COLOURS].find(([, words]) => words.includes(word)) ?? [];
    return colour === undefined ? word : styleText(colour, word, { validateStream: false });
  });
