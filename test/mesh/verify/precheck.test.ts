import type { KubeObject } from "../../../components/cluster/cluster";
import { precheck } from "../../../mesh/verify/precheck";
import type { VerifiedMember } from "../../../mesh/verify/verification";
import { clusterOf } from "../../components/readers";
import { freshCluster } from "../../stacks/fixtures";
import { memberNamed, NOW } from "./fixture";

/** What DNS knows of the endpoint's host. */
let addresses: { address: string }[] | undefined;
jest.mock("node:dns/promises", () => ({
  lookup: (host: string) =>
    addresses === undefined ? Promise.reject(new Error(`ENOTFOUND ${host}`)) : Promise.resolve(addresses),
}));
beforeEach(() => {
  addresses = [{ address: "10.0.0.7" }, { address: "10.0.0.8" }];
});

const unasked = (): Promise<never> => Promise.reject(new Error("is not asked"));

async function look(
  objects: KubeObject[],
  version = () => Promise.resolve("v1.35.3"),
  raw: Record<string, unknown> = {},
): Promise<VerifiedMember> {
  const member = memberNamed("cluster1", { trustDomain: "localhost", ...raw });
  const { members } = await precheck(
    [member],
    () => ({
      reader: clusterOf(...objects),
      api: { version, routersVerbs: unasked, serverLog: unasked, agentLog: unasked },
      server: {
        program: unasked,
        ownBundle: unasked,
        signing: unasked,
        bundles: unasked,
        relationships: unasked,
        polls: unasked,
        forget: unasked,
      },
    }),
    "0.1.0",
    NOW,
    1,
  );
  return members[0] as VerifiedMember;
}

function fresh(trustDomain = "localhost"): KubeObject[] {
  const { ztwim, ingress, ...rest } = freshCluster();
  return [...Object.values(rest), { ...ztwim, spec: { trustDomain } }, { ...ingress, spec: { domain: "localhost" } }];
}
const states = ({ checks }: VerifiedMember): string[] => checks.map(({ code, state }) => `${code} ${state}`);

test("a cluster on which nothing of ours is can be prechecked, and nothing speaks against it", async () => {
  const member = await look(fresh());
  expect(states(member)).toEqual(["MESH101 ok", "MESH105 ok", "MESH106 ok", "MESH152 skipped"]);
  expect(member.checks[1]?.evidence).toBe("cert-manager will be installed; the Route will be the operator's");
  expect(member.checks[2]?.evidence).toBe("federation.localhost is 10.0.0.7, 10.0.0.8");
});

test("everything that speaks against it is said at once", async () => {
  const { checks } = await look(fresh("elsewhere").filter(({ kind }) => kind !== "SpireServer"));
  expect(checks[1]).toMatchObject({ code: "MESH105", state: "failed" });
  expect(checks[1]?.evidence.split("\n")).toEqual([
    expect.stringMatching(/^spireServer: the cluster has no SpireServer/),
    expect.stringMatching(/^trustDomain: "localhost" is not what/),
  ]);
});

test("of a cluster that doesn't answer nothing else is asked", async () => {
  expect(states(await look([], () => Promise.reject(new Error("no answer"))))).toEqual([
    "MESH101 unknown",
    "MESH105 skipped",
    "MESH106 skipped",
    "MESH152 skipped",
  ]);
});

test("a host that nobody knows is said, or unknown where it need not be known here", async () => {
  addresses = undefined;
  expect((await look(fresh())).checks[2]).toMatchObject({
    state: "failed",
    evidence: expect.stringContaining("federation.localhost: ENOTFOUND federation.localhost") as string,
  });
  expect((await look(fresh(), undefined, { probe: "cluster" })).checks[2]).toMatchObject({
    state: "skipped",
    evidence: expect.stringMatching(/^cannot be seen from here: spire-federation:probe is cluster/) as string,
  });
});

test("a NetworkPolicy that will stand between the SPIRE server and its peers is said", async () => {
  const namespace = "zero-trust-workload-identity-manager";
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "spire-server-0", namespace } };
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny", namespace },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  };
  const { checks, health } = await look([...fresh(), pod, policy]);
  expect(checks.at(-1)).toMatchObject({
    code: "MESH152",
    state: "warn",
    evidence: expect.stringMatching(/default-deny: .*8443; default-deny: .*443 elsewhere/) as string,
    cure: expect.stringMatching(/network\/ingress\.yaml && .*network\/egress\.yaml/) as string,
  });
  expect(health).toBe("healthy");
});
