import { fitting, Screen } from "../../../mesh/cli/screen";

test("shows the lines that fit, each cut where the terminal ends, and how many more there are", () => {
  expect(fitting("one\ntwo", 2, 80)).toBe("one\ntwo");
  expect(fitting("one long line\ntwo\nthree\nfour", 3, 7)).toBe(
    "one lon\ntwo\n… 2 more lines: verify without --watch shows all",
  );
});

test.each([
  [{}, false],
  [{ FORCE_COLOR: "0" }, false],
  [{ FORCE_COLOR: "1" }, true],
  [{ FORCE_COLOR: "" }, true],
])("colours in a pipe with %j: %s", (env, has) => {
  expect(new Screen({ isTTY: false } as never).hasColours(env)).toBe(has);
});

test("what was on the terminal before is there again afterwards", () => {
  let written = "";
  const stream = { rows: 5, columns: 80, write: (text: string) => (written += text) };
  const screen = new Screen(stream as never);
  screen.redraw("x", (text) => text);
  screen.redraw("y", (text) => text);
  screen.close();
  screen.close();
  expect(written.split("\x1b[?1049h")).toHaveLength(2);
  expect(written.split("\x1b[?1049l")).toHaveLength(2);
  expect(written.endsWith("\x1b[?1049l")).toBe(true);
});
