import { PassThrough } from "node:stream";
import { Asker } from "../../../mesh/cli/asker";

const given = (): { input: PassThrough; asker: Asker } => {
  const input = new PassThrough();
  return { input, asker: new Asker(input, new PassThrough()) };
};

test("lines that are typed ahead answer the questions to come", async () => {
  const { input, asker } = given();
  input.write("d\n n \n");
  expect(await asker.ask("Proceed? ")).toBe("d");
  expect(await asker.ask("Proceed? ")).toBe("n");
  asker.close();
});

test("a line that is typed after its question answers it", async () => {
  const { input, asker } = given();
  const answer = asker.ask("Proceed? ");
  input.write("y\n");
  expect(await answer).toBe("y");
  asker.close();
});

test("the end of the input is an empty answer, to every question", async () => {
  const { input, asker } = given();
  input.end();
  expect(await asker.ask("Proceed? ")).toBe("");
  expect(await asker.ask("Proceed? ")).toBe("");
});

test("a signal is an empty answer", async () => {
  const { asker } = given();
  const stop = new AbortController();
  const answer = asker.ask("Proceed? ", stop.signal);
  stop.abort();
  expect(await answer).toBe("");
});
