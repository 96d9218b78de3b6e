import { listenForInterruption } from "../../../mesh/kernel/interruption";

const said: string[] = [];
let heard: ReturnType<typeof listenForInterruption>;
let exit: jest.SpyInstance;

beforeEach(() => {
  said.length = 0;
  exit = jest.spyOn(process, "exit").mockImplementation(() => undefined as never);
  heard = listenForInterruption((line) => said.push(line));
});

afterEach(() => {
  heard.close();
  exit.mockRestore();
});

test("Ctrl-C begins nothing more, and is not passed on: the terminal has told everybody", () => {
  process.emit("SIGINT", "SIGINT");
  expect(heard.requested).toBe(true);
  expect(heard.forward.aborted).toBe(false);
  expect(said).toEqual([expect.stringContaining("SIGINT")]);
  expect(exit).not.toHaveBeenCalled();
});

test("SIGTERM is passed on", () => {
  process.emit("SIGTERM", "SIGTERM");
  expect(heard.requested).toBe(true);
  expect(heard.forward.aborted).toBe(true);
});

test("a second one, whichever, ends at once", () => {
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGINT", "SIGINT");
  expect(exit).toHaveBeenCalledWith(130);
});

test("once nobody listens any more, signals do what they always do", () => {
  const before = process.listenerCount("SIGINT");
  heard.close();
  expect(process.listenerCount("SIGINT")).toBe(before - 1);
});
