/** The terminal on which `--watch` draws, again and again. */
const ENTER = "\x1b[?1049h";
const LEAVE = "\x1b[?1049l";
/** Clears the screen, and begins at its top. */
const CLEAR = "\x1b[2J\x1b[H";

/** Draws on the terminal's second screen, so that what was on the first is there again afterwards. */
export class Screen {
  private entered = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** At a terminal Node minds NO_COLOR, FORCE_COLOR and TERM=dumb; elsewhere FORCE_COLOR alone asks for colours. */
  hasColours({ FORCE_COLOR }: Readonly<Record<string, string | undefined>>): boolean {
    if (this.stream.isTTY) return this.stream.hasColors();
    return FORCE_COLOR !== undefined && !["0", "false"].includes(FORCE_COLOR);
  }

  /** @param paint is given only what fits */
  redraw(text: string, paint: (text: string) => string): void {
    if (!this.entered) this.stream.write(ENTER);
    this.entered = true;
    this.stream.write(CLEAR + paint(fitting(text, this.stream.rows, this.stream.columns)));
  }

  close(): void {
    if (this.entered) this.stream.write(LEAVE);
    this.entered = false;
  }
}

/** The first lines, each cut where the terminal ends; the last one says how many more there are. Pure. */
export function fitting(text: string, rows: number, columns: number): string {
  const lines = text.split("\n").map((line) => line.slice(0, columns));
  if (lines.length <= rows) return lines.join("\n");
  const shown = lines.slice(0, Math.max(0, rows - 1));
  return [...shown, `… ${lines.length - shown.length} more lines: verify without --watch shows all`].join("\n");
}
