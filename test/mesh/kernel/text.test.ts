import fc from "fast-check";
import { table } from "../../../mesh/kernel/table";
import { printable } from "../../../mesh/kernel/text";

test("hidden characters are written out, and lines stay", () => {
  expect(printable("a\u001b[31mb\u009b2J\u202ec\td\ne\r")).toBe("a\\u{1b}[31mb\\u{9b}2J\\u{202e}c\td\ne\\u{d}");
});

test("no text makes a terminal act", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test("cells of a table are text", () => {
  expect(table(["A", "B"], [["\u001b[2J", "x"]])).toBe("A          B\n\\u{1b}[2J  x\n");
});
