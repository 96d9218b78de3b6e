import { parse } from "yaml";
import { documentIn, documentOf } from "../../../mesh/cli/json";

// A C1 control sequence, an override of the direction, a line separator, and a tag beyond U+FFFF.
const TEXT = "a\u009b31m b\u202e c\u2028 d\u{e0041} é 😀";

test("a document means what it meant, and no terminal acts on it", async () => {
  const failure = { errors: [TEXT] };
  const json = documentOf(failure, 3);
  expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u);
  expect(json).toContain("é 😀");
  expect((JSON.parse(json) as { errors: string[] }).errors).toEqual([TEXT]);
  const yaml = await documentIn("yaml", failure, 3);
  expect((parse(yaml) as { errors: string[] }).errors).toEqual([TEXT]);
  expect(yaml).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u);
});
