/** Shows on stderr what the members are doing: redrawn on a terminal, plain lines elsewhere. */
import { printable } from "../kernel/text";
import { type Activity, UNCHANGING } from "../pulumi/events";
import type { Listener } from "../pulumi/operations";
import type { PreviewOutcome, UpOutcome } from "../pulumi/outcomes";

type Outcome = UpOutcome | PreviewOutcome;

export interface View extends Listener {
  close(): void;
}

const nothing = (): void => undefined;

/** @param quiet shows notes alone */
export function openView(stream: NodeJS.WriteStream, members: readonly string[], quiet: boolean): View {
  const note = (line: string): void => {
    stream.write(`${printable(line)}\n`);
  };
  if (quiet) return { note, began: nothing, doing: nothing, ended: nothing, close: nothing };
  return stream.isTTY ? new LiveView(stream, members) : new PlainView(stream);
}

/** A line whenever a member begins, waits for something new, or ends. */
class PlainView implements View {
  private readonly last = new Map<string, string>();

  constructor(private readonly stream: NodeJS.WritableStream) {}

  note(line: string): void {
    this.stream.write(`${printable(line)}\n`);
  }

  began(member: string): void {
    this.say(member, "starting");
  }

  doing(member: string, { doing }: Activity): void {
    if (doing !== "") this.say(member, doing);
  }

  ended(member: string, outcome: Outcome): void {
    this.say(member, endOf(outcome));
  }

  close(): void {
    // Every line is already out.
  }

  private say(member: string, text: string): void {
    if (this.last.get(member) === text) return;
    this.last.set(member, text);
    this.note(`${member}: ${text}`);
  }
}

/** One line per member that is running, with the time since it began. */
class LiveView implements View {
  private readonly running = new Map<string, { since: number; text: string }>();
  private drawn = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly width: number;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    members: readonly string[],
  ) {
    this.width = Math.max(...members.map((name) => name.length));
    this.timer = setInterval(() => {
      this.draw();
    }, 200);
  }

  note(line: string): void {
    this.erase();
    this.stream.write(`${printable(line)}\n`);
    this.draw();
  }

  began(member: string): void {
    this.running.set(member, { since: Date.now(), text: "starting" });
  }

  doing(member: string, { doing }: Activity): void {
    const line = this.running.get(member);
    if (line !== undefined && doing !== "") line.text = doing;
  }

  ended(member: string, outcome: Outcome): void {
    const seconds = this.seconds(member);
    this.running.delete(member);
    this.note(`${member.padEnd(this.width)}  ${seconds}  ${endOf(outcome)}`);
  }

  close(): void {
    clearInterval(this.timer);
    this.erase();
  }

  private draw(): void {
    this.erase();
    // With more lines than the terminal has they could not be erased.
    const lines = [...this.running]
      .slice(0, this.stream.rows - 1)
      .map(([member, { text }]) =>
        `${member.padEnd(this.width)}  ${this.seconds(member)}  ${printable(text.split("\n")[0] ?? "")}`.slice(
          0,
          this.stream.columns - 1,
        ),
      );
    // Letters of double width may need a second row, which would not be erased: what does not fit is cut by the terminal.
    this.stream.write(`\x1b[?7l${lines.map((line) => `${line}\n`).join("")}\x1b[?7h`);
    this.drawn = lines.length;
  }

  private erase(): void {
    if (this.drawn > 0) this.stream.write(`\x1b[${String(this.drawn)}A\x1b[J`);
    this.drawn = 0;
  }

  private seconds(member: string): string {
    const since = this.running.get(member)?.since ?? Date.now();
    return `${String(Math.round((Date.now() - since) / 1000)).padStart(4)} s`;
  }
}

function endOf(outcome: Outcome): string {
  if (outcome.succeeded && "steps" in outcome) return "previewed";
  // Why a preview failed is part of what is shown of it, for all members at once.
  if (!outcome.succeeded) return "recovered" in outcome ? `failed: ${outcome.errors.join("\n")}` : "the preview failed";
  const changes = Object.entries(outcome.changes ?? {}).filter(([op]) => !UNCHANGING.has(op));
  const counts = changes.map(([op, count]) => `${String(count)} ${op}`);
  return counts.length === 0 ? "done, no changes" : `done: ${counts.join(", ")}`;
}
