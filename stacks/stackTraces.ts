/** A stack line in the folder of a scope itself, such as `(…/node_modules/@pulumi/resource.ts:1598:22)`. */
const SCOPE_FOLDER = /(node_modules[\\/]@[^\\/\s]+)([\\/])(?=[^\\/\s]+$)/gm;

/**
 * Makes the errors that end a program printable.
 *
 * Pulumi prints them with `util.inspect` in colour, and in many versions of Node (20.19.6 and later among them) that
 * never ends on a line as above, which source maps give to Pulumi's own code: half a minute and 3 GB go by before the
 * error is shown, or the process is killed for its memory and none is. nodejs/node#64011; can go when `engines` in
 * package.json asks for a Node that has nodejs/node#64022.
 */
export function keepStackTracesPrintable(): void {
  // Before Pulumi's own listeners, which print.
  process.prependListener("uncaughtException", mend);
  process.prependListener("unhandledRejection", mend);
}

/** The error and what caused it, which is printed with it. */
export function mend(error: unknown): void {
  if (!(error instanceof Error)) return;
  if (error.stack !== undefined) error.stack = printable(error.stack);
  mend(error.cause);
}

export function printable(stack: string): string {
  return stack.replace(SCOPE_FOLDER, "$1$2.$2");
}
