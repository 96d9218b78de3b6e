import { has } from "../needs";

const MISSING = { missing: "no such program" };

let said: string[];
beforeEach(() => {
  said = [];
  jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

test("tests whose program is there run, and nothing is said", () => {
  expect(has({ program: "/bin/sh" }, {})).toBe(true);
  expect(said).toEqual([]);
});

test("tests whose program is missing are skipped, and the reason is said", () => {
  expect(has(MISSING, {})).toBe(false);
  expect(said).toEqual(["skipped: no such program\n"]);
});

test("with NO_SKIPS=1 they run all the same", () => {
  expect(has(MISSING, { NO_SKIPS: "1" })).toBe(true);
});
