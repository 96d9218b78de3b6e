import { openView } from "../../../mesh/cli/progress";

test("each running member has one row, however wide its letters are, and never more rows than the terminal", () => {
  let written = "";
  const stream = { isTTY: true, rows: 3, columns: 20, write: (text: string) => (written += text) };
  const view = openView(stream as never, ["a", "b", "c"], false);
  for (const member of ["a", "b", "c"]) view.began(member);
  view.note("x");
  view.close();
  // Between these the terminal wraps nothing.
  const [, drawn] = /\x1b\[\?7l([^]*?)\x1b\[\?7h/.exec(written) ?? [];
  expect(drawn?.split("\n").map((line) => line[0])).toEqual(["a", "b", undefined]);
  expect(written.endsWith("\x1b[2A\x1b[J")).toBe(true);
});
