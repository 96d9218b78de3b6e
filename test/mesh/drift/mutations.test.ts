/** Whatever is odd in one member: drift looks at everybody, finds nothing in others, and what was found stays no success. */
import fc from "fast-check";
import { drift, driftExit, type DriftMember, printDrift } from "../../../mesh/drift/drift";
import type { DriftOutcome } from "../../../mesh/pulumi/outcomes";
import { type Published, publishedIn } from "../../../mesh/pulumi/workspace";
import { clusterOf } from "../../components/readers";
import { stackOf } from "../members/given";
import { type Mutation, mutateOne, mutations, runs, valueAt, waysIn } from "../mutation";
import { CLASS, trustObject } from "../verify/faults";
import { type Cluster, clusterNamed, hostOf, memberNamed, NAMES, trustDomainOf } from "../verify/fixture";

const members = NAMES.map((name) => memberNamed(name));

/** All that drift reads of one member: its cluster, and what Pulumi says of the stack's objects and outputs. */
type Read = Pick<Cluster, "objects" | "own" | "bundles" | "relationships" | "log" | "program"> & {
  outcome: DriftOutcome;
  outputs: string;
};

function readOf(name: string): Read {
  const { objects, own, bundles, relationships, log, program } = clusterNamed(name);
  const trustDomain = trustDomainOf(name);
  const trusted = NAMES.filter((other) => other !== name).map((other) => [
    other,
    { trustDomain: trustDomainOf(other), fingerprints: [] },
  ]);
  const outputs = {
    federation: { version: 1, trustDomain, bundleEndpointUrl: `https://${hostOf(name)}`, profile: "https_web" },
    pendingPeers: [],
    peers: Object.fromEntries(trusted) as object,
  };
  const outcome: DriftOutcome = { succeeded: true, objects: [] };
  return { objects, own, bundles, relationships, log, program, outcome, outputs: JSON.stringify(outputs) };
}

const given = <T>(answer: T): Promise<T> =>
  answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
const unasked = (): Promise<never> => Promise.reject(new Error("is not asked"));

/** @param ill cluster1 trusts somebody else, too */
function look(mutation?: Mutation, ill = false): Promise<DriftMember[]> {
  const all = new Map(NAMES.map((name) => [name, readOf(name)]));
  const first = all.get("cluster1") as Read;
  const stranger = { trustDomain: "x.org", className: CLASS, bundleEndpointURL: "https://x.org" };
  if (ill) first.objects.push(trustObject("x", stranger));
  if (mutation !== undefined) {
    const parts = Object.keys(first);
    const part = parts[mutation.part % parts.length] ?? "";
    const own = String(first.objects.length - 1);
    const ways = waysIn({ part: valueAt(first, [part]) })
      .map(([, ...way]) => [part, ...way])
      // An oddity of the stranger's own object may put it right.
      .filter(([of, nth = own]) => !ill || of !== "objects" || nth !== own);
    mutateOne(first, mutation, ways);
  }
  const of = (name: string): Read => all.get(name) as Read;
  const stacks = {
    published: async (stack: string) =>
      Promise.resolve(publishedIn(JSON.parse(of(stackOf(stack)).outputs) as Partial<Published>)),
    drift: (stack: string) => given(of(stackOf(stack)).outcome),
  };
  const cluster = ({ context = "" }) => ({
    reader: clusterOf(...of(context).objects),
    log: () => given(of(context).log),
    server: {
      program: () => given(of(context).program),
      ownBundle: () => given(of(context).own),
      signing: unasked,
      bundles: () => given(of(context).bundles),
      relationships: () => given(of(context).relationships),
      polls: unasked,
      forget: unasked,
    },
  });
  return drift(members, members, stacks, { cluster, endpoint: unasked }, 4);
}

test("any value of a member may be odd", async () => {
  const [well, ill] = [await look(), await look(undefined, true)];
  expect([driftExit(well), driftExit(ill)]).toEqual([0, 1]);
  await fc.assert(
    fc.asyncProperty(mutations, fc.boolean(), async (mutation, isIll) => {
      const odd = await look(mutation, isIll);
      expect(odd.map(({ member }) => member)).toEqual(NAMES);
      const others = odd.slice(1).flatMap(({ findings, unchecked }) => [...findings, ...unchecked]);
      expect(others.filter((one) => !JSON.stringify(one).includes("cluster1"))).toEqual([]);
      if (isIll) expect(driftExit(odd)).not.toBe(0);
      expect(() => printDrift(odd)).not.toThrow();
    }),
    runs(200),
  );
});
