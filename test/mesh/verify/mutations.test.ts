/** Whatever is odd in one member or peer: everybody gets a verdict, all others keep theirs, and nobody gets a better one. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import fc from "fast-check";
import { stringify } from "yaml";
import { UsageError } from "../../../mesh/kernel/exit";
import { readMembers, withPeers } from "../../../mesh/members/members";
import type { Published } from "../../../mesh/pulumi/workspace";
import { readReport } from "../../../mesh/verify/probe/log";
import type { ProbeResult } from "../../../mesh/verify/probe/probe";
import type { Presented } from "../../../mesh/verify/presented";
import { page } from "../../../mesh/report/page";
import type { HeldBundle } from "../../../mesh/spire/bundle";
import { printSummary } from "../../../mesh/verify/summaryText";
import {
  type Health,
  pairName,
  printVerify,
  subjectsOf,
  type Verification,
  verifyExit,
} from "../../../mesh/verify/verification";
import { verifyWithProbe } from "../../../mesh/verify/withProbe";
import { root } from "../../components/issue";
import { projectFolder } from "../members/folder";
import { id } from "../members/given";
import { type Change, CLASS, FAULTS, trustObject } from "./faults";
import {
  bundleOf,
  type Cluster,
  clusterNamed,
  hostOf,
  look,
  memberNamed,
  NAMES,
  presentedOf,
  trustDomainOf,
} from "./fixture";
import { mutate, type Mutation, mutateOne, mutations, runs, valueAt, waysIn } from "../mutation";

const one = "cluster1";
const FAR = "organization/elsewhere/far";
const farPeer = { stack: FAR, objectName: "far-federation" };
const members = NAMES.map((name) => {
  const others = NAMES.filter((other) => other !== name);
  return memberNamed(name, { peers: name === "cluster3" ? others : [...others, farPeer] });
});
const farRoot = root(trustDomainOf("far"));
const farBundle = (): HeldBundle => bundleOf("far", farRoot, "jwt-of-far");
const presentedByFar = presentedOf(farBundle(), hostOf("far"));

/** Everything that can be odd; `refused` is a kind that the API server gives an error for. */
interface All {
  cluster: Record<string, unknown>;
  version: unknown;
  refused: string;
  outputs: Record<string, string>;
  far: Presented | Error;
}

const federation = (name: string): object => ({
  version: 1,
  trustDomain: trustDomainOf(name),
  bundleEndpointUrl: `https://${hostOf(name)}`,
  profile: "https_web",
});

/** Whom the last up of a stack made it trust. */
const trusted = (names: readonly string[]): object =>
  Object.fromEntries(
    names.map((name) => [name, { trustDomain: trustDomainOf(name.split("-").at(-1) ?? ""), fingerprints: [] }]),
  );

/** Its stack has put there a peer that its file does not name any more. */
const left: Change = (cluster) => {
  cluster.objects.push(
    trustObject("gone-federation", {
      trustDomain: trustDomainOf("gone"),
      className: CLASS,
      bundleEndpointURL: `https://${hostOf("gone")}`,
      bundleEndpointProfile: { type: "https_web" },
    }),
  );
  cluster.bundles.push(bundleOf("gone", root(trustDomainOf("gone")), "gone"));
};
const elsewhere: Change = (_, { cluster2 }) => {
  if (cluster2) cluster2.bundles = cluster2.bundles.filter(({ trustDomain }) => !trustDomain.includes("cluster3"));
};
/** What is wrong already, before anything is odd. */
const ILLS: [string, Change | undefined][] = [
  ...Array.from({ length: 30 }, (): [string, undefined] => ["nothing", undefined]),
  ["a peer that was left", left],
  ["a peer that another member does not hold", elsewhere],
  ...FAULTS.map(([name, change]): [string, Change] => [name, change]),
];

/** The parts of all that is read, as often as they have turns. */
const PARTS: readonly (readonly string[])[] = [
  ...Array.from({ length: 8 }, () => ["cluster", "objects"]),
  ...["own", "signing", "bundles", "relationships", "log", "agentLogs", "servedInside", "presented"].map((part) => [
    "cluster",
    part,
  ]),
  ["cluster"],
  ["version"],
  ["refused"],
  ["outputs", id(one)],
  ["outputs", FAR],
  ["far"],
];

const DATA =
  "objects own signing bundles relationships log agentLogs servedInside presented program verbs serverRefuses ownRefuses".split(
    " ",
  ) as (keyof Cluster)[];

function seenWith(change: Change | undefined, mutation?: Mutation): Promise<Verification> {
  const all: All = {
    cluster: {},
    version: "v1.35.3",
    refused: "",
    outputs: {
      [id(one)]: JSON.stringify({
        federation: federation(one),
        pendingPeers: [],
        peers: trusted([...(members[0]?.config.peers.map(({ name }) => name) ?? []), "gone"]),
      }),
      [FAR]: JSON.stringify({ federation: federation("far"), pendingPeers: [], peers: {} }),
    },
    far: { ...presentedByFar },
  };
  for (const { id: member, config } of members.slice(1)) {
    all.outputs[member] = JSON.stringify({ peers: trusted(config.peers.map(({ name }) => name)) });
  }
  return look({
    members,
    outputs: (reference) => all.outputs[reference] ?? "{}",
    endpoint: (url) => (url === `https://${hostOf("far")}` ? given(all.far) : undefined),
    change: (clusters) => {
      for (const { name, config } of members) {
        const stacks = config.peers.map((peer) => (peer.id === FAR ? "far" : peer.name));
        const cluster = clusterNamed(name, stacks);
        cluster.bundles = cluster.bundles.map((held) =>
          held.trustDomain === trustDomainOf("far") ? farBundle() : held,
        );
        clusters[name] = cluster;
      }
      const cluster = clusters[one] as Cluster;
      const data = (): Record<string, unknown> =>
        Object.fromEntries(DATA.flatMap((key) => (cluster[key] === undefined ? [] : [[key, cluster[key]] as const])));
      const before = new Map(waysIn(data()).map((way) => [way.join("\n"), valueAt(data(), way)]));
      change?.(cluster, clusters);
      // Changes share what they put there.
      cluster.objects = structuredClone(cluster.objects);
      all.cluster = data();
      if (mutation === undefined) return;
      const part = PARTS[mutation.part % PARTS.length] ?? [];
      if (part[0] === "refused") {
        const refused = cluster.objects[mutation.nth % cluster.objects.length]?.kind;
        cluster.refuses = (kind) => (kind === refused ? new Error("it is refused") : undefined);
        return;
      }
      const inPart = waysIn({ part: valueAt(all, part) })
        .map((way) => [...part, ...way.slice(1)])
        .filter((way) => way.length > 1 || way[0] === "version");
      const ill = changedWays(all.cluster, before);
      const ways = inPart.filter((way) => !ill.some((other) => touches(way.slice(1), other)));
      const way = ways[mutation.nth % ways.length];
      if (way === undefined) return;
      mutate(all, way, mutation);
      Object.assign(cluster, all.cluster);
      for (const key of DATA) if (!(key in all.cluster)) Reflect.deleteProperty(cluster, key);
      cluster.version = () =>
        all.version instanceof Error ? Promise.reject(all.version) : Promise.resolve(all.version as string);
    },
  });
}

const given = (answer: Presented | Error | undefined): Presented | undefined => {
  if (answer instanceof Error) throw answer;
  return answer;
};

/** To what was made wrong: an oddity there may put it right. */
function changedWays(data: object, before: ReadonlyMap<string, unknown>): (readonly (string | number)[])[] {
  const ways = waysIn(data);
  const isLeaf = (value: unknown): boolean => waysIn({ value }).length === 1;
  const now = new Set(ways.map((way) => way.join("\n")));
  const gone = [...before.keys()].filter((way) => !now.has(way)).map((way) => way.split("\n"));
  const other = ways.filter((way) => {
    const [value, key] = [valueAt(data, way), way.join("\n")];
    return !before.has(key) || (isLeaf(value) && before.get(key) !== value);
  });
  return [...gone, ...other];
}

const touches = (way: readonly (string | number)[], other: readonly (string | number)[]): boolean =>
  way.every((key, index) => other[index] === undefined || String(other[index]) === String(key));

/** What was judged, by name. */
const healths = (seen: Verification): Map<string, Health> =>
  new Map([
    ...seen.members.map(({ member, health }): [string, Health] => [member, health]),
    ...seen.pairs.map((pair): [string, Health] => [pairName(pair), pair.health]),
  ]);

/** Verdicts in which neither cluster1 nor the far peer has a part. */
const untouched = ({ members: judged, pairs }: Verification): unknown => [
  judged.filter(({ member }) => member !== one).map(({ member, checks }) => [member, checks.map(briefly)]),
  pairs
    .filter(({ member, peer }) => member !== one && peer !== one && !peer.endsWith("far"))
    .map(({ member, peer, checks }) => [member, peer, checks.map(briefly)]),
];
const briefly = ({ code, state }: { code: string; state: string }): string => `${code} ${state}`;

function expectNoBetter(odd: Verification, before: Verification): void {
  const now = healths(odd);
  const then = healths(before);
  expect([...now.keys()]).toEqual([...then.keys()]);
  for (const [who, health] of then) {
    if (health === "unknown" || health === "unhealthy") expect([who, now.get(who)]).not.toEqual([who, "healthy"]);
    if (health === "unknown" || health === "unhealthy") expect([who, now.get(who)]).not.toEqual([who, "pending"]);
    if (health === "pending") expect([who, now.get(who)]).not.toEqual([who, "healthy"]);
  }
  if (verifyExit(before) !== 0) expect(verifyExit(odd)).not.toBe(0);
  for (const print of [printSummary, printVerify, page]) expect(() => print(odd)).not.toThrow();
  expect(() => JSON.stringify(odd)).not.toThrow();
}

const known = new Map<string, Promise<Verification>>();
function withoutOddity(ill: string, change: Change | undefined): Promise<Verification> {
  const found = known.get(ill) ?? seenWith(change);
  known.set(ill, found);
  return found;
}

test("before anything is odd everybody is well, but for what is wrong", async () => {
  const well = await withoutOddity("nothing", undefined);
  expect([...healths(well)].filter(([, health]) => health !== "healthy")).toEqual([]);
  expect(subjectsOf(well)).toHaveLength(11);
  for (const [name, change] of ILLS.slice(30)) {
    const ill = await withoutOddity(name, change);
    expect([name, verifyExit(ill)]).not.toEqual([name, 0]);
  }
});

test("any value of a cluster, of an answer, of a log, of a bundle and of outputs may be odd", async () => {
  await fc.assert(
    fc.asyncProperty(mutations, fc.constantFrom(...ILLS), async (mutation, [ill, change]) => {
      const [before, odd] = [await withoutOddity(ill, change), await seenWith(change, mutation)];
      expect(untouched(odd)).toEqual(untouched(before));
      expectNoBetter(odd, before);
    }),
    runs(200),
  );
});

test("any line of a probe's workload may be odd", async () => {
  const idOf = (name: string): string =>
    `spiffe://${trustDomainOf(name)}/ns/spire-federation-probe/sa/spire-federation-probe`;
  const lines = (name: string, meets: readonly string[]): string[] => [
    JSON.stringify({ event: "identity", id: idOf(name), bundles: meets.map(trustDomainOf) }),
    ...meets.map((peer) => JSON.stringify({ event: "dialed", peer, outcome: "met", tls: "TLSv1.3" })),
  ];
  const dark = JSON.stringify({ event: "dialed", peer: "cluster2", outcome: "unreachable", why: "no route" });
  const probed = (mutation?: Mutation, ill?: string): Promise<Verification> =>
    verifyWithProbe(members, members, {
      verify: () => withoutOddity("nothing", undefined),
      probe: (those) => {
        const results = those.map(({ member, meets }): [string, ProbeResult] => {
          const said = { lines: lines(member, meets) };
          if (member === one) {
            if (ill !== undefined) said.lines.splice(1, 1, ill);
            const ways = waysIn(said).filter(([, line]) => line !== undefined && (ill === undefined || line !== "1"));
            if (mutation !== undefined) mutateOne(said, mutation, ways);
          }
          return [member, { probed: { seen: { report: readReport(said.lines.map(String).join("\n")) } } }];
        });
        return Promise.resolve(new Map(results));
      },
      program: () => Promise.resolve("/opt/spire/bin/spire-server"),
    });
  const before = new Map([
    [undefined, await probed()],
    [dark, await probed(undefined, dark)],
  ]);
  expect([...before.values()].map(verifyExit)).toEqual([0, 1]);
  await fc.assert(
    fc.asyncProperty(mutations, fc.constantFrom(undefined, dark), async (mutation, ill) => {
      const odd = await probed(mutation, ill);
      expectNoBetter(odd, before.get(ill) as Verification);
      const asked = (seen: Verification): unknown => seen.pairs.map(({ checks }) => checks.map(({ code }) => code));
      expect(asked(odd)).toEqual(asked(before.get(ill) as Verification));
      for (const pair of odd.pairs.filter(({ member }) => member !== one)) {
        const then = before.get(ill)?.pairs.find((other) => pairName(other) === pairName(pair));
        if (pair.peer !== one) expect(pair.checks.map(briefly)).toEqual(then?.checks.map(briefly));
      }
    }),
    runs(200),
  );
});

describe("stack files", () => {
  const settings = { name: "spire-federation", runtime: "nodejs", backend: { url: "file://~" } };
  let dir: string;
  let workspace: Workspace;
  beforeAll(async () => ({ dir, workspace } = await projectFolder(() => settings)));
  afterAll(() => rm(dir, { recursive: true }));

  test("of one member may say anything: the others are read and judged as before", async () => {
    const file = (name: string): object => ({
      encryptionsalt: "v1:x",
      config: {
        "spire-federation:context": name,
        "spire-federation:trustDomain": trustDomainOf(name),
        "spire-federation:peers": NAMES.filter((other) => other !== name),
        "spire-federation:endpoint": { refreshHint: 300 },
        "spire-federation:issuer": { type: "acme" },
      },
    });
    for (const name of NAMES.slice(1)) await writeFile(join(dir, `Pulumi.${name}.yaml`), stringify(file(name)));
    const judged = async (): Promise<Verification> => {
      const named = await readMembers(workspace, NAMES.slice(1));
      const { members: all, unread } = await withPeers(workspace, named, NAMES.slice(1));
      const trusts = (): Published["peers"] => trusted(NAMES) as Published["peers"];
      return look({ members: all, chosen: NAMES.slice(1), unread, trusts });
    };
    await writeFile(join(dir, "Pulumi.cluster1.yaml"), stringify(file(one)));
    const before = await judged();
    expect(verifyExit(before)).toBe(0);
    await fc.assert(
      fc.asyncProperty(mutations, async (mutation) => {
        const said = file(one);
        if (mutation.how === "whole" || mutation.how === "inside") mutateOne(said, { ...mutation, how: "whole" });
        const whole = { text: stringify(said) };
        if (mutation.how === "piece" || mutation.how === "end") mutate(whole, ["text"], mutation);
        await writeFile(join(dir, "Pulumi.cluster1.yaml"), whole.text);
        const odd = await judged();
        expect(untouched(odd)).toEqual(untouched(before));
        expectNoBetter(odd, before);
        // For one that is named, a fault is the user's to put right.
        const alone = await readMembers(workspace, [one]).catch((error: unknown) => error);
        if (!Array.isArray(alone)) expect(alone).toBeInstanceOf(UsageError);
      }),
      runs(40),
    );
  });
});
