/** Names and trust domains that come from clusters, in the commands that people are told to run: a real shell runs them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FEDERATION_CLASS } from "../../../components/shared/names";
import { objectFindings } from "../../../mesh/drift/objectFindings";
import { printDrift } from "../../../mesh/drift/drift";
import type { Finding } from "../../../mesh/kernel/finding";
import type { Declared } from "../../../mesh/trust/expected";
import { foreignTrust, listedPeers } from "../../../mesh/trust/foreignTrust";
import { heldOfPeer, leftInStore } from "../../../mesh/trust/serverStore";
import { agentCause } from "../../../mesh/verify/agentCauses";
import { printVerify } from "../../../mesh/verify/verification";
import { type Cluster, look, trustDomainOf } from "../verify/fixture";
import { trustObject } from "../verify/faults";

const HOSTILE = [
  "x; touch pwned",
  "$(touch pwned)",
  "`touch pwned`",
  "x' && touch pwned && echo '",
  'x" || touch pwned',
  "x\ntouch pwned",
  "x|touch pwned #",
  "\u001b]0;x\u0007 & touch pwned",
];
const place = { member: "cluster1", context: "it's mine; touch pwned" };
const nobody: Declared = {
  objects: new Map(),
  trustDomains: new Set(),
  peers: [],
  trusted: new Map(),
  leaving: new Map(),
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hostile-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** The arguments with which a shell calls `oc`, each call with all of them. */
function calls(cure: string): string[][] {
  const command = cure.slice(cure.search(/\b(oc|npx) /)).replaceAll("; then oc", "; oc");
  const script = `oc() { printf '%s\\0' "$@"; printf '\\036'; }\nnpx() { oc "$@"; }\n${command}\n`;
  const said = execFileSync("/bin/sh", ["-c", script], { cwd: dir, encoding: "utf8" });
  expect(existsSync(join(dir, "pwned"))).toBe(false);
  return said
    .split("\u001e")
    .slice(0, -1)
    .map((call) => call.split("\0").slice(0, -1));
}

const cures = (findings: Finding[]): string[] => findings.map(({ cure }) => cure);

describe.each(HOSTILE)("%j", (name) => {
  const bundle = { trustDomain: name, roots: [], jwtKeys: [] };

  test("as an object and its trust domain", () => {
    const object = trustObject(name, { trustDomain: name, className: FEDERATION_CLASS });
    const [cure = ""] = cures(foreignTrust(place, [object], nobody));
    expect(calls(cure)).toEqual([
      ["--context", place.context, "delete", "clusterfederatedtrustdomain", name],
      expect.arrayContaining(["--context", place.context, "bundle", "delete", "-id", `spiffe://${name}`]),
    ]);
  });

  test("as what the SpireServer lists", () => {
    const federatesWith = [{ trustDomain: name, bundleEndpointUrl: name, bundleEndpointProfile: "https_web" as const }];
    const federation = {
      bundleEndpoint: { profile: "https_web" as const, refreshHint: 300 },
      managedRoute: "true" as const,
      federatesWith,
    };
    const [cure = ""] = cures(listedPeers(place, federation, nobody, "dynamic"));
    expect(calls(cure).at(-1)).toContain(`spiffe://${name}`);
  });

  test("as what the SPIRE server holds and polls", () => {
    const left = cures(leftInStore(place, { bundles: [bundle], relationships: [] }, nobody, new Set()));
    const polled = cures(leftInStore(place, { bundles: [], relationships: [name] }, nobody, new Set()));
    expect(calls(left[0] ?? "")[0]).toContain(`spiffe://${name}`);
    expect(calls(polled[0] ?? "").map((words) => words.at(-1))).toEqual([name, "dissociate"]);
    const [refresh = ""] = cures(
      heldOfPeer(place, bundle, { bundle: { ...bundle, roots: [Buffer.from("x")] } }, new Date()),
    );
    expect(calls(refresh)[0]?.at(-1)).toBe(name);
  });

  test("as a field that somebody has set, and as the object that has it", () => {
    const asked = { apiVersion: "v1", kind: "Route", metadata: { name, namespace: name }, spec: {} };
    const fieldsV1 = { "f:spec": { [`f:${name}`]: {} } };
    const live = {
      ...asked,
      spec: { [name]: "x" },
      metadata: { ...asked.metadata, managedFields: [{ manager: name, fieldsV1 }] },
    };
    const object = { op: "same" as const, type: "kubernetes:route.openshift.io/v1:Route", name, asked, diffs: [] };
    const [cure = ""] = cures(objectFindings(place, [{ object, live }], []));
    const [words = []] = calls(cure);
    expect(words.slice(2, 6)).toEqual(["-n", name, "patch", "route"]);
    expect(JSON.parse(words.at(-1) ?? "")).toEqual([{ op: "remove", path: `/spec/${name}` }]);
  });

  test("as a node", () => {
    const { cure } = agentCause(place, "lookup x: no such host", name);
    expect(calls(cure.replace(/ shows name and address$/, ""))[0]).toEqual([
      "--context",
      place.context,
      "get",
      "node",
      name,
      "-o",
      "wide",
    ]);
  });
});

test("a terminal acts on nothing that a cluster says", async () => {
  const evil = "\u001b[2K\u001b[1A\u009b31m\u202e";
  const found = await look({
    change: ({ cluster1 }) => {
      const cluster = cluster1 as Cluster;
      cluster.objects.push(
        trustObject(`x${evil}`, { trustDomain: evil, className: FEDERATION_CLASS, bundleEndpointURL: evil }),
      );
      cluster.presented = new Error(evil);
      cluster.bundles.push({ trustDomain: `${trustDomainOf("x")}${evil}`, roots: [], jwtKeys: [] });
    },
  });
  const finding = { code: "bundle-left" as const, member: "a", object: evil, found: evil, cure: evil };
  const drift = printDrift([
    { member: "a", trustDomain: evil, findings: [finding], unchecked: [{ member: "a", what: evil, because: evil }] },
  ]);
  for (const text of [printVerify(found), drift]) {
    expect(text).toContain("\\u{1b}[2K");
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  }
});
