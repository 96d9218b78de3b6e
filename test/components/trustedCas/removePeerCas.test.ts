/** The script, run as Pulumi does but in this process and with time of its own, against a cluster that answers from memory. */
import type { ApiException } from "../../../components/cluster/kubernetesClient";

const OURS = "spire-federation-peer-cas-1a2b3c";
const other = { name: "CREATE_ONLY_MODE", value: "false" };

let env: { name: string; value: string }[];
/** What the SPIRE server's pods mount; follows the Subscription as soon as it says something else. */
let mounted: string | undefined;
/** How often somebody else changes the Subscription between its being read and its being patched. */
let conflicts: number;
let patches: { patch: unknown; manager: unknown }[];
let refusal = 409;
/** The environment that OLM gives to the operator, and the cluster's Proxy. */
let operatorEnv: { name: string; value: string }[];
let proxy: object | undefined;
/** OLM passes on what the Subscription says. */
let olm = true;
/** The class that the script has: its modules are its own. */
let Refusal: typeof ApiException;

const workload = (kind: string) =>
  kind !== "StatefulSet"
    ? undefined
    : {
        metadata: { generation: 1 },
        spec: {
          replicas: 1,
          template: {
            spec: {
              volumes: mounted === undefined ? [] : [{ name: "trusted-ca-bundle", configMap: { name: mounted } }],
            },
          },
        },
        status: { observedGeneration: 1, updatedReplicas: 1, readyReplicas: 1, replicas: 1 },
      };
const subscription = () => ({
  metadata: { name: "ztwim", namespace: "zero-trust-workload-identity-manager", resourceVersion: "7" },
  spec: { name: "openshift-zero-trust-workload-identity-manager", config: { env } },
});

const operator = () => ({ spec: { template: { spec: { containers: [{ env: operatorEnv }] } } } });
const live = (kind: string, name: string): object | undefined => {
  if (kind === "Subscription") return subscription();
  if (kind === "Proxy") return proxy;
  if (kind === "ZeroTrustWorkloadIdentityManager") return { spec: { trustDomain: "apps.cluster1.example.com" } };
  return name === "zero-trust-workload-identity-manager-controller-manager" ? operator() : workload(kind);
};

jest.mock("../../../components/cluster/connect", () => ({
  connect: () => ({
    access: { context: "cluster1" },
    get: (_: string, kind: string, name: string) => Promise.resolve(live(kind, name)),
    list: () => Promise.resolve([subscription()]),
  }),
  connectClient: () => ({
    place: 'context "admin"',
    attempt: async (_: string, __: unknown, request: () => Promise<unknown>) => {
      try {
        return await request();
      } catch (cause) {
        throw new Error("cannot patch", { cause });
      }
    },
    patch: (patch: { spec: { config: { env: typeof env | null } } }, _: unknown, __: unknown, manager: unknown) => {
      if (conflicts-- > 0) return Promise.reject(new Refusal(refusal, "changed", undefined, {}));
      patches.push({ patch, manager });
      env = patch.spec.config.env ?? [];
      if (olm) mounted = undefined;
      return Promise.resolve();
    },
  }),
}));

/** What the script has written to stderr after so many seconds; undefined while it goes on. */
async function run(seconds: number): Promise<string | undefined> {
  let said: string | undefined;
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
  const write = jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    said = (said ?? "") + String(text);
    return true;
  });
  jest.isolateModules(() => {
    ({ ApiException: Refusal } = jest.requireActual("../../../components/cluster/kubernetesClient"));
    jest.requireActual("../../../components/trustedCas/removePeerCas");
  });
  for (let second = 0; second < seconds; second++) {
    await new Promise((resolve) => setImmediate(resolve));
    await jest.advanceTimersByTimeAsync(1000);
  }
  const waits = jest.getTimerCount() > 0;
  write.mockRestore();
  jest.clearAllTimers();
  jest.useRealTimers();
  return waits ? undefined : (said ?? "");
}

beforeEach(() => {
  env = [other, { name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: OURS }];
  [mounted, conflicts, patches, olm, refusal] = [OURS, 0, [], true, 409];
  [operatorEnv, proxy] = [[], undefined];
  process.env["OWN_TRUST_DOMAIN"] = "apps.cluster1.example.com";
});

afterEach(() => {
  process.exitCode = undefined;
  delete process.env["OWN_TRUST_DOMAIN"];
});

it("takes its own variable out, of the Subscription as it was read, and leaves others' there", async () => {
  expect(await run(5)).toBe("");
  expect(patches).toEqual([
    {
      patch: expect.objectContaining({
        metadata: { name: "ztwim", namespace: "zero-trust-workload-identity-manager", resourceVersion: "7" },
        spec: { config: { env: [other] } },
      }) as unknown,
      manager: "spire-federation",
    },
  ]);
  expect(process.exitCode).toBeUndefined();
});

it("leaves no empty list behind", async () => {
  env = env.slice(1);
  expect(await run(5)).toBe("");
  expect(patches).toMatchObject([{ patch: { spec: { config: { env: null } } } }]);
});

it("leaves the CAs of others alone", async () => {
  [env, mounted] = [[other, { name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: "theirs" }], "theirs"];
  expect(await run(5)).toBe("");
  expect(patches).toEqual([]);
});

it("reads again what somebody has changed meanwhile, and is not done before it is out", async () => {
  conflicts = 3;
  expect(await run(10)).toBe("");
  expect(patches).toHaveLength(1);
  expect(env).toEqual([other]);
});

it("gives up a Subscription that keeps changing, and a SPIRE server that keeps the ConfigMap, after five minutes", async () => {
  conflicts = Infinity;
  expect(await run(290)).toBeUndefined();
  expect(await run(310)).toMatch(/mounts ConfigMap spire-federation-peer-cas-1a2b3c .*; still so after 300 s\n$/);
  expect(process.exitCode).toBe(1);
  mounted = undefined;
  expect(await run(310)).toBe("ZTWIM's Subscription keeps changing; still so after 300 s\n");

  [conflicts, olm, mounted] = [0, false, OURS];
  expect(await run(310)).toMatch(/^StatefulSet spire-server mounts ConfigMap .*; still so after 300 s\n$/);
  expect(env).toEqual([other]);
});

describe("an operator with a proxy, which would reconcile nothing without the variable,", () => {
  const trusted = (value: string) => [other, { name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value }];

  it("keeps it: the removal fails before any change, with the commands that give it another one", async () => {
    operatorEnv = [{ name: "HTTPS_PROXY", value: "http://proxy:3128" }, ...trusted(OURS)];
    expect(await run(2)).toMatch(
      /oc --context cluster1 patch subscriptions\.operators\.coreos\.com ztwim .*"op":"replace","path":"\/spec\/config\/env\/1"/,
    );
    expect([patches, process.exitCode]).toEqual([[], 1]);
  });

  it("has another one once these commands were run", async () => {
    proxy = { status: { httpsProxy: "http://proxy:3128" } };
    [env, mounted] = [trusted("trusted-ca"), "trusted-ca"];
    operatorEnv = [{ name: "HTTPS_PROXY", value: "http://proxy:3128" }, ...env];
    expect(await run(5)).toBe("");
    expect(patches).toEqual([]);
  });

  it("is none where its Subscription keeps the cluster's proxy from it", async () => {
    [proxy, operatorEnv] = [
      { status: { httpsProxy: "http://proxy:3128" } },
      [{ name: "HTTPS_PROXY", value: "" }, ...trusted(OURS)],
    ];
    expect(await run(5)).toBe("");
    expect(patches).toHaveLength(1);
  });
});

it("fails before any change in a cluster of another trust domain, and names both", async () => {
  process.env["OWN_TRUST_DOMAIN"] = "apps.cluster2.example.com";
  expect(await run(2)).toMatch(/apps\.cluster1\.example\.com.*apps\.cluster2\.example\.com/);
  expect([patches, process.exitCode]).toEqual([[], 1]);
});

it("fails at once where it may not patch", async () => {
  [conflicts, refusal] = [1, 403];
  expect(await run(2)).toBe("cannot patch\n");
  expect(process.exitCode).toBe(1);
});
