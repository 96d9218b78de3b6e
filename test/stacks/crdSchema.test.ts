import { checkBySchema } from "../../stacks/crdSchema";

test("a field that is true or false takes nothing else", () => {
  const check = (value: unknown): string[] =>
    checkBySchema({ properties: { on: { type: "boolean" } } }, { on: value }, undefined).map(({ path }) => path);
  expect([true, false].map(check)).toEqual([[], []]);
  expect(["true", 1].map(check)).toEqual([["on"], ["on"]]);
});
