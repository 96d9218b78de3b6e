import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { word } from "../../../components/shared/shell";

const words = (command: string, home = "/home/me"): string[] =>
  execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8", env: { HOME: home } })
    .split("\0")
    .slice(0, -1);

test("any text is one word for a shell, and the same text", () => {
  fc.assert(
    fc.property(
      fc
        .string({ unit: fc.constantFrom(...Array.from("ab$`'\"\\ \n;&|<>(){}*?[]!#~=-/.@%")) })
        .filter((text) => !text.startsWith("~/")),
      (text) => {
        expect(words(word(text))).toEqual([text]);
      },
    ),
    { numRuns: 200 },
  );
});

test("a leading ~/ is the home folder, whatever follows", () => {
  expect(words(word("~/my $(x)/config"))).toEqual(["/home/me/my $(x)/config"]);
});

test.each(["apps.cluster1.example.com", "/opt/spire/bin/spire-server", "~/.kube/config", "spec.nodeName=node1"])(
  "%s needs no quotes",
  (text) => {
    expect(word(text)).toBe(text);
  },
);
