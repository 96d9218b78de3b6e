/** The rooms of mesh/: whoever reads one needs to know those below it, and never one above. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const MESH = join(__dirname, "..", "..", "mesh");

const files = readdirSync(MESH, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const room = (file: string): string => file.split("/")[0] ?? file;

/** For each room the rooms that its files import from. */
const imports = new Map<string, Set<string>>();
for (const file of files) {
  const used = imports.get(room(file)) ?? new Set();
  imports.set(room(file), used);
  for (const [, path = ""] of readFileSync(join(MESH, file), "utf8").matchAll(/ from "(\.[^"]+)"/g)) {
    const target = relative(MESH, join(MESH, dirname(file), path));
    if (!target.startsWith("..") && room(target) !== room(file)) used.add(room(target));
  }
}

/** A way that leads from a room back to it; undefined where there is none. */
function circle(from: string, way: readonly string[] = [from]): readonly string[] | undefined {
  for (const next of imports.get(way.at(-1) ?? "") ?? []) {
    if (next === from) return [...way, next];
    if (way.includes(next)) continue;
    const found = circle(from, [...way, next]);
    if (found !== undefined) return found;
  }
  return undefined;
}

test.each([...imports.keys()])("no way leads from %s back to it", (name) => {
  expect(circle(name)).toBeUndefined();
});

test("no two files have one name", () => {
  const names = files.map((file) => file.split("/").at(-1));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("no two exported types have one name", () => {
  const names = files.flatMap((file) =>
    [...readFileSync(join(MESH, file), "utf8").matchAll(/^export (?:interface|type|class) (\w+)/gm)].map(
      ([, name]) => name,
    ),
  );
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
