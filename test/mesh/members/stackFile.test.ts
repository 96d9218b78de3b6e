import { promises } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { parse, stringify } from "yaml";
import { UsageError } from "../../../mesh/kernel/exit";
import { save, secretsProvider, withKeys, withoutGonePeers } from "../../../mesh/members/stackFile";

const drop = (text: string, ...names: string[]): string =>
  withoutGonePeers(text, "spire-federation", (name) => names.includes(name));

describe("a file that is saved", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "stack-file-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("by a link is changed where the link leads, and keeps its permissions; nothing else is left", async () => {
    await writeFile(join(dir, "shared.yaml"), "old", { mode: 0o640 });
    await symlink("shared.yaml", join(dir, "Pulumi.a.yaml"));
    await save({ dir, file: "Pulumi.a.yaml", text: "new" });
    expect((await lstat(join(dir, "Pulumi.a.yaml"))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(dir, "shared.yaml"), "utf8")).toBe("new");
    expect((await stat(join(dir, "shared.yaml"))).mode & 0o777).toBe(0o640);
    expect((await readdir(dir)).sort()).toEqual(["Pulumi.a.yaml", "shared.yaml"]);
  });

  test("is at no moment readable by more people than before", async () => {
    await writeFile(join(dir, "Pulumi.a.yaml"), "old", { mode: 0o600 });
    const modes: number[] = [];
    const chmod = jest.spyOn(promises, "chmod").mockImplementation(async (path) => {
      modes.push((await stat(path)).mode & 0o777);
    });
    await save({ dir, file: "Pulumi.a.yaml", text: "new" }).finally(() => {
      chmod.mockRestore();
    });
    expect(modes).toEqual([0o600]);
  });

  test("is never a device", async () => {
    await symlink("/dev/null", join(dir, "Pulumi.a.yaml"));
    await expect(save({ dir, file: "Pulumi.a.yaml", text: "new" })).rejects.toThrow(UsageError);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    expect(await readdir(dir)).toEqual(["Pulumi.a.yaml"]);
  });

  test("may be a new one", async () => {
    await save({ dir, file: "Pulumi.a.yaml", text: "new" });
    expect(await readFile(join(dir, "Pulumi.a.yaml"), "utf8")).toBe("new");
  });
});

test("a stack's own file says who encrypts its secrets; without a word there, the command line does", () => {
  const [kms, vault] = ["awskms://alias/mesh", "hashivault://mesh"];
  expect(secretsProvider({ secretsprovider: kms }, vault)).toBe(kms);
  expect(secretsProvider({}, vault)).toBe(vault);
  expect(secretsProvider({ encryptionsalt: "v1:abc=" }, vault)).toBeUndefined();
  expect(secretsProvider({}, undefined)).toBeUndefined();
});

test("an entry that is an object goes by its name, or by its stack's", () => {
  const before = `config:
  spire-federation:peers:
    - cluster2
    - name: partner # by contract
      trustDomain: partner.example.org
    - { stack: cluster3, trust: oneway, rebootstrap: 1 }
`;
  expect(parse(drop(before, "partner", "cluster3"))).toEqual({
    config: { "spire-federation:peers": ["cluster2"] },
  });
  expect(drop(before, "partner.example.org", "oneway")).toBe(before);
  const json = stringify({ config: { "spire-federation:peers": '["a",{"name":"partner"}]' } });
  expect(parse(drop(json, "partner"))).toEqual({ config: { "spire-federation:peers": '["a"]' } });
});

test("comments stay, and so does the order", () => {
  const before = `# who we are
encryptionsalt: v1:abc=
config:
  spire-federation:context: cluster1 # of the kubeconfig
  spire-federation:peers: [ cluster2, cluster3 ] # as agreed
  spire-federation:issuer: { type: acme }
`;
  expect(drop(before, "cluster3")).toBe(before.replace("[ cluster2, cluster3 ]", "[ cluster2 ]"));
});

test("a list with a line for each peer loses that line, and with the last one it is an empty list", () => {
  const before = `config:
  spire-federation:peers:
    # the other site
    - cluster2
    - organization/spire-federation/cluster3 # since spring
  spire-federation:trustDomain: a.example.com
`;
  const name = "organization/spire-federation/cluster3";
  expect(drop(before, name)).toBe(`config:
  spire-federation:peers:
    # the other site
    - cluster2
  spire-federation:trustDomain: a.example.com
`);
  expect(parse(drop(before, name, "cluster2"))).toEqual({
    config: {
      "spire-federation:peers": [],
      "spire-federation:trustDomain": "a.example.com",
    },
  });
});

test("a list that stands there as JSON is edited as such", () => {
  const before = `config:\n  spire-federation:peers: '["cluster2","cluster3"]'\n`;
  expect(drop(before, "cluster3")).toBe(`config:\n  spire-federation:peers: '["cluster2"]'\n`);
});

test("a file that names none of them stays as it is", () => {
  for (const text of [
    "",
    "config: {}\n",
    "config:\n  spire-federation:peers: [ cluster2 ]\n",
    "config:\n  spire-federation:peers:\n",
  ])
    expect(drop(text, "cluster3")).toBe(text);
});

test("what cannot be edited is refused with the file's name", () => {
  const text = "x: &all [cluster3]\nconfig:\n  spire-federation:peers: *all\n";
  expect(() => withoutGonePeers(text, "spire-federation", () => true, "Pulumi.cluster1.yaml")).toThrow(
    /^Pulumi\.cluster1\.yaml: spire-federation:peers .* by hand$/,
  );
});

test("however a file is written, it says afterwards what it said before, less the peers", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const config = fc.record({ peers: fc.uniqueArray(name), gone: fc.array(name) });
  const style = fc.record({
    collectionStyle: fc.constantFrom("any" as const, "block" as const, "flow" as const),
    flowCollectionPadding: fc.boolean(),
  });
  fc.assert(
    fc.property(config, style, fc.boolean(), ({ peers, gone }, how, asJson) => {
      const going = [...gone, ...peers.slice(1, 3)];
      const file = (keep: (one: string) => boolean): { config: Record<string, unknown> } => {
        const left = peers.filter(keep);
        const written = { "spire-federation:peers": asJson ? JSON.stringify(left) : left };
        return { config: { "spire-federation:context": "c", ...written, "other:peers": peers } };
      };
      const text = stringify(file(Boolean), { ...how, lineWidth: 0 });
      const left: unknown = parse(drop(text, ...going));
      expect(left).toEqual(file((one) => !going.includes(one)));
    }),
  );
});

describe("keys that are added", () => {
  const add = (text: string, keys: Record<string, unknown>) => withKeys(text, "spire-federation", keys);

  test("make a file where there is none, and leave the rest of one that there is", () => {
    expect(add("", { context: "a", peers: ["b"] }).text).toBe(
      "config:\n  spire-federation:context: a\n  spire-federation:peers:\n    - b\n",
    );
    const text = "# ours\nencryptionsalt: v1:x\nconfig:\n  spire-federation:context: a # admin\n";
    expect(add(text, { context: "a", trustDomain: "b" })).toEqual({
      text: `${text}  spire-federation:trustDomain: b\n`,
      kept: [],
    });
  });

  test("never change what the file says, whether as YAML or as JSON in a text", () => {
    const text = `config:\n  spire-federation:peers: '["b"]'\n  spire-federation:issuer:\n    type: ca\n`;
    expect(add(text, { peers: ["b"], issuer: { type: "acme" } })).toEqual({ text, kept: ["issuer"] });
  });

  test.each(["- a", "text", "config: [a]"])("are refused in what is no stack's file: %s", (text) => {
    expect(() => add(text, {})).toThrow(UsageError);
  });
});
