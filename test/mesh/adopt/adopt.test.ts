/** What an adoption runs, and what it refuses to run. */
import type { KubeObject } from "../../../components/cluster/cluster";
import {
  adopt,
  type AdoptedMember,
  type AdoptWorld,
  planAdoption,
  refuses,
  unchangedMember,
} from "../../../mesh/adopt/adopt";
import { printAdopted, printPlans } from "../../../mesh/adopt/adoptText";
import { type Stock, takeStock } from "../../../mesh/adopt/stock";
import type { StackObject } from "../../../mesh/pulumi/stackObjects";
import { clusterOf } from "../../components/readers";
import { configOf } from "../../stacks/fixtures";
import { memberOf } from "../members/given";
import { byHand, holding, ofKind } from "./given";

const member = memberOf(configOf());
const signal = new AbortController().signal;
const pod = (uid: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "spire-server-0", namespace: "zero-trust-workload-identity-manager", uid },
});

interface Given {
  live?: KubeObject[];
  /** What is there once the stack has run. */
  after?: KubeObject[];
  /** Something that a preview would change then. */
  changes?: StackObject;
}

/** A stack that asks for the Certificate of the procedure. */
function worldOf({ live = [...byHand(), pod("1")], after = live, changes }: Given = {}) {
  const ran: string[] = [];
  const certificate = byHand().find(({ kind }) => kind === "Certificate");
  const asked = {
    apiVersion: certificate?.apiVersion,
    kind: "Certificate",
    metadata: certificate?.metadata,
    spec: certificate?.spec,
  };
  const object = (): StackObject => ({
    op: ran.includes("up") ? "same" : "create",
    type: "kubernetes:cert-manager.io/v1:Certificate",
    name: "certificate-certificate",
    asked,
    diffs: [],
  });
  const federation = { version: 1, trustDomain: "a", bundleEndpointUrl: "https://a", profile: "https_web" } as const;
  const world: AdoptWorld = {
    reader: () => clusterOf(...(ran.includes("up") ? after : live)),
    published: () =>
      Promise.resolve(
        ran.includes("make") ? { pendingPeers: [], peers: {}, ...(ran.includes("up") && { federation }) } : undefined,
      ),
    make: () => Promise.resolve(void ran.push("make")),
    drift: () =>
      Promise.resolve({
        succeeded: true,
        objects: [object(), ...(ran.includes("up") && changes !== undefined ? [changes] : [])],
      }),
    up: () => {
      ran.push("up");
      return Promise.resolve({ succeeded: true, changes: {}, restarted: false, recovered: [] });
    },
  };
  return { world, ran };
}

async function stockOf(live: KubeObject[]): Promise<Stock[]> {
  const project = { name: "spire-federation", configDir: "/nowhere", defaults: {} };
  return takeStock(
    ["cluster1"],
    {},
    { project, dir: "/nowhere", reader: () => clusterOf(...live), server: () => holding() },
  );
}

async function run(given: Given = {}): Promise<{ result: AdoptedMember | undefined; ran: string[] }> {
  const { world, ran } = worldOf(given);
  const stocks = await stockOf(byHand());
  const plans = await planAdoption([member], world, 1);
  const [result] = await adopt([member], stocks, plans, world, 1, () => undefined, signal);
  return { result, ran };
}

test("a cluster is taken over by a stack that is made and run once", async () => {
  const { result, ran } = await run();
  expect(ran).toEqual(["make", "up"]);
  expect(result).toMatchObject({
    member: "cluster1",
    trustDomain: "apps.cluster1.example.com",
    state: "adopted",
    file: "Pulumi.cluster1.yaml",
    owns: [{ object: "Certificate spire-server-federation-tls", state: "owned" }],
    disturbed: [],
  });
  expect(printAdopted(result === undefined ? [] : [result])).toContain("a preview shows no changes");
});

test("a cluster that cannot be looked at any more after the up keeps its result", async () => {
  const { world, ran } = worldOf();
  const plans = await planAdoption([member], world, 1);
  const gone = (): Promise<never> => Promise.reject(new Error("no route to it"));
  const reader: AdoptWorld["reader"] = (access) =>
    ran.includes("up") ? { ...world.reader(access), get: gone, list: gone } : world.reader(access);
  const stocks = await stockOf(byHand());
  const [result] = await adopt([member], stocks, plans, { ...world, reader }, 1, () => undefined, signal);
  expect(result).toMatchObject({ state: "failed", file: "Pulumi.cluster1.yaml" });
  expect(result?.errors.join()).toContain("no route to it");
});

test("the stacks of its peers are made before it is previewed", async () => {
  const { world } = worldOf();
  const made: string[] = [];
  const make = (id: string): Promise<void> => Promise.resolve(void made.push(id));
  const published = (): Promise<undefined> => Promise.resolve(undefined);
  await planAdoption([memberOf(configOf({ peers: ["cluster2"] }))], { ...world, make, published }, 1);
  expect(made).toEqual(["organization/spire-federation/cluster1", "organization/spire-federation/cluster2"]);
});

test("nothing runs where an up would change what is there", async () => {
  const live = byHand(ofKind("Certificate", (spec) => (spec["usages"] = ["server auth"])));
  const { result, ran } = await run({ live });
  expect(ran).toEqual(["make"]);
  expect(result).toMatchObject({ state: "failed" });
  expect(result?.errors.join()).toContain("Certificate spire-server-federation-tls: spec.usages");
});

test("the plan says what would change, and is refused", async () => {
  const live = byHand(ofKind("Certificate", (spec) => (spec["renewBefore"] = "24h")));
  const { world } = worldOf({ live });
  const [plan] = await planAdoption([member], world, 1);
  const [stock] = await stockOf(live);
  expect(plan && refuses(plan)).toBe(true);
  expect(stock && printPlans([unchangedMember(stock, plan)])).toContain(
    'Certificate spire-server-federation-tls: spec.renewBefore is "24h", and would be "360h"',
  );
});

test.each<[string, Given, Partial<AdoptedMember>]>([
  ["a recreated object", { after: [pod("1")] }, { disturbed: ["Certificate spire-server-federation-tls was deleted"] }],
  [
    "a replaced SPIRE server",
    { after: [...byHand(), pod("2")] },
    { disturbed: ["the SPIRE server's pod was replaced"] },
  ],
  [
    "a preview with changes",
    { changes: { op: "change", type: "command:local:Command", name: "x", asked: {}, diffs: [] } },
    { steps: [{ op: "change", type: "command:local:Command", name: "x" }] },
  ],
])("%s is told, and no success", async (_, given, told) => {
  const { result } = await run(given);
  expect(result).toMatchObject({ state: "failed", ...told });
});

test("two clusters that are adopted together are each other's peers by their stacks", async () => {
  const clusters = {
    cluster1: byHand(),
    cluster2: byHand(
      ofKind("ZeroTrustWorkloadIdentityManager", (spec) => {
        spec["trustDomain"] = "apps.cluster2.example.com";
      }),
    ),
  };
  const project = { name: "spire-federation", configDir: "/nowhere", defaults: {} };
  const reader = ({ context = "" }) => clusterOf(...clusters[context as keyof typeof clusters]);
  const [first] = await takeStock(
    ["cluster1", "cluster2"],
    {},
    { project, dir: "/nowhere", reader, server: () => holding() },
  );
  expect(first?.config["peers"]).toEqual(["cluster2"]);
  expect(first?.file.text).toContain("spire-federation:context: cluster1\n");
});
