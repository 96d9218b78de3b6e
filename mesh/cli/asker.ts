/** Asks the user on the terminal. */
import { createInterface, type Interface } from "node:readline";

/** One reader for all questions of a run: a line that was typed ahead of its question is not lost. */
export class Asker {
  private reader: Interface | undefined;
  private lines: AsyncIterator<string> | undefined;
  private ended = false;

  constructor(
    private readonly input: NodeJS.ReadableStream,
    private readonly output: NodeJS.WritableStream,
  ) {}

  /** An empty answer at the end of the input, and after a signal. */
  async ask(question: string, signal?: AbortSignal): Promise<string> {
    const reader = (this.reader ??= createInterface({ input: this.input, output: this.output }));
    const lines = (this.lines ??= reader[Symbol.asyncIterator]());
    if (this.ended) return "";
    const close = (): void => {
      reader.close();
    };
    signal?.addEventListener("abort", close);
    reader.setPrompt(question);
    reader.prompt();
    const answer = await lines.next();
    signal?.removeEventListener("abort", close);
    this.ended = answer.done === true;
    return answer.done === true ? "" : answer.value.trim();
  }

  close(): void {
    this.reader?.close();
  }
}
