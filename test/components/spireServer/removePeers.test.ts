/** The script, run as Pulumi does but in this process, with a cluster that answers from memory. */
import type { FederatesWith } from "../../../components/bundle/peer";
import type { ApiException } from "../../../components/cluster/kubernetesClient";

type Entries = FederatesWith[] | undefined;

let entries: Entries;
/** Of the cluster that answers; undefined: it has no ZTWIM. */
let trustDomain: string | undefined;
let patches: { patch: unknown; manager: unknown }[];
let conflicts: number;
/** The class that the script has: its modules are its own. */
let Refusal: typeof ApiException;

const server = () => ({ metadata: { resourceVersion: "7" }, spec: { federation: { federatesWith: entries } } });
const ztwim = () => (trustDomain === undefined ? undefined : { spec: { trustDomain } });

jest.mock("../../../components/cluster/connect", () => ({
  connect: () => ({
    get: (_: string, kind: string) => Promise.resolve(kind === "SpireServer" ? server() : ztwim()),
  }),
  connectClient: () => ({
    place: 'context "admin"',
    attempt: async (_: string, __: unknown, request: () => Promise<unknown>) => {
      try {
        return await request();
      } catch (cause) {
        throw new Error("cannot", { cause });
      }
    },
    patch: (patch: unknown, _: unknown, __: unknown, manager: unknown) => {
      if (conflicts-- > 0) return Promise.reject(new Refusal(409, "changed", undefined, {}));
      patches.push({ patch, manager });
      return Promise.resolve();
    },
  }),
}));

const entry = (trustDomain: string): FederatesWith => ({
  trustDomain,
  bundleEndpointUrl: `https://${trustDomain}`,
  bundleEndpointProfile: "https_web",
});

/** What the script has written to stderr. */
async function run(trustDomains: string, listed: Entries, changes = 0): Promise<string> {
  [entries, patches, conflicts] = [listed, [], changes];
  process.env["TRUST_DOMAINS"] = trustDomains;
  let said = "";
  const write = jest.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  jest.isolateModules(() => {
    ({ ApiException: Refusal } = jest.requireActual("../../../components/cluster/kubernetesClient"));
    jest.requireActual("../../../components/spireServer/removePeers");
  });
  await new Promise((resolve) => setTimeout(resolve, 50 + changes * 400));
  write.mockRestore();
  return said;
}

beforeEach(() => {
  trustDomain = "apps.cluster1.example.com";
  process.env["OWN_TRUST_DOMAIN"] = "apps.cluster1.example.com";
});

afterEach(() => {
  process.exitCode = undefined;
  delete process.env["TRUST_DOMAINS"];
  delete process.env["OWN_TRUST_DOMAIN"];
  delete process.env["KUBE_CONFIG"];
});

const federatesWith = (): unknown =>
  (patches[0]?.patch as { spec?: { federation?: { federatesWith?: unknown } } } | undefined)?.spec?.federation
    ?.federatesWith;

it("takes the list away where all of it was the stack's: the CRD refuses an empty one", async () => {
  expect(await run("a.example b.example", [entry("a.example"), entry("b.example")])).toContain("a.example, b.example");
  expect(federatesWith()).toBeNull();
  expect(patches[0]?.patch).toMatchObject({ metadata: { name: "cluster", resourceVersion: "7" } });
});

it("leaves what others list, as somebody else's, so that the next up refuses to overwrite it", async () => {
  await run("a.example", [entry("a.example"), entry("partner.example")]);
  expect(federatesWith()).toEqual([entry("partner.example")]);
  expect(patches[0]?.manager).not.toBe("spire-federation");
});

it.each<[string, Entries]>([
  ["lists nobody", undefined],
  ["lists others alone", [entry("partner.example")]],
])("changes nothing where the SpireServer %s", async (_, listed) => {
  expect(await run("a.example", listed)).toBe("");
  expect(patches).toEqual([]);
});

it("reads again what somebody has changed meanwhile", async () => {
  await run("a.example", [entry("a.example")], 2);
  expect(federatesWith()).toBeNull();
  expect(process.exitCode).toBeUndefined();
});

describe("in a cluster of another trust domain", () => {
  // Its kubeconfig is the machine's, and the cluster's peer is one of the stack's, too.
  const shared = "apps.cluster3.example.com";

  it.each<[string, string | undefined, RegExp]>([
    ["the machine's kubeconfig", undefined, /set KUBECONFIG/],
    ["that of the config", "~/c1", /have ~\/c1 lead/],
  ])("it fails before any change, and names both trust domains and %s", async (_, kubeconfig, cure) => {
    trustDomain = "apps.cluster2.example.com";
    if (kubeconfig !== undefined) process.env["KUBE_CONFIG"] = kubeconfig;
    const said = await run(shared, [entry(shared)]);
    expect(said).toMatch(/context "admin".*"apps\.cluster2\.example\.com".*"apps\.cluster1\.example\.com"/);
    expect(said).toMatch(cure);
    expect([patches, process.exitCode]).toEqual([[], 1]);
  });

  it("it fails where it has no peers to take out, too: trust would end there all the same", async () => {
    trustDomain = "apps.cluster2.example.com";
    expect(await run("", [entry(shared)])).toContain("apps.cluster2.example.com");
    expect(process.exitCode).toBe(1);
  });

  it.each<[string, () => unknown]>([
    ["of which nothing is known, as in a state of an earlier release,", () => delete process.env["OWN_TRUST_DOMAIN"]],
    ["without ZTWIM", () => (trustDomain = undefined)],
  ])("%s it goes on", async (_, given) => {
    trustDomain = "apps.cluster2.example.com";
    given();
    await run(shared, [entry(shared)]);
    expect(federatesWith()).toBeNull();
  });
});
