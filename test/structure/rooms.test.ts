/** The rooms of the project: whoever reads one needs to know those below it, and never one above. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(__dirname, "..", "..");
const FOLDERS = ["components", "stacks", "mesh"];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file)),
);
const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** What each file imports of the project, also types, and what is loaded late. */
const imports = new Map(
  files.map((file) => {
    const paths = [...textOf(file).matchAll(/(?: from |import\()"(\.[^"]+)"/g)].map(([, path = ""]) => path);
    return [file, paths.map((path) => `${relative(ROOT, join(ROOT, dirname(file), path))}.ts`)] as const;
  }),
);

/** A folder below components/ or mesh/; a file at the top of a folder is a room by itself. */
const roomOf = (file: string): string => {
  const [folder = "", room = ""] = file.split("/");
  return file.split("/").length > 2 ? `${folder}/${room}` : file;
};

const rooms = new Map<string, Set<string>>();
for (const [file, used] of imports) {
  const others = rooms.get(roomOf(file)) ?? new Set();
  for (const other of used) if (roomOf(other) !== roomOf(file)) others.add(roomOf(other));
  rooms.set(roomOf(file), others);
}

/** A way that leads from one back to it; undefined where there is none. */
function circle(from: string, next: ReadonlyMap<string, Iterable<string>>): readonly string[] | undefined {
  const seen = new Set<string>();
  const search = (way: readonly string[]): readonly string[] | undefined => {
    for (const one of next.get(way.at(-1) ?? "") ?? []) {
      if (one === from) return [...way, one];
      if (seen.has(one)) continue;
      seen.add(one);
      const found = search([...way, one]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search([from]);
}

test("no way of imports leads from a file back to it", () => {
  expect(files.flatMap((file) => circle(file, imports) ?? [])).toEqual([]);
});

test.each([...rooms.keys()])("no way of imports leads from %s back to it", (room) => {
  expect(circle(room, rooms)).toBeUndefined();
});

test("the top of components/ has its components, and ten files at most", () => {
  expect(files.filter((file) => /^components\/[^/]+$/.test(file)).length).toBeLessThanOrEqual(10);
});

describe("in mesh/", () => {
  const own = files.filter((file) => file.startsWith("mesh/"));
  const twice = (names: (string | undefined)[]) => names.filter((name, index) => names.indexOf(name) !== index);

  test("no two files have one name", () => {
    expect(twice(own.map((file) => file.split("/").at(-1)))).toEqual([]);
  });

  test("no two exported types have one name", () => {
    const types = own.flatMap((file) =>
      [...textOf(file).matchAll(/^export (?:interface|type|class) (\w+)/gm)].map(([, name]) => name),
    );
    expect(twice(types)).toEqual([]);
  });
});
