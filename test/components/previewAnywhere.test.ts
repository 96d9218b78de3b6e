/** A preview needs no cluster: what would be read from it is not known. An up needs one, and says what is missing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RouterSecretAccess, SpireFederation } from "../../components";
import { readiness } from "../../components/shared/gate";
import { record, type Seen } from "../mocks";
import { DOMAIN, peer } from "./given";
import { issue } from "./issue";

const folder = mkdtempSync(join(tmpdir(), "preview-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A kubeconfig that leads to a port at which nobody listens. */
function nobody(): string {
  const file = join(folder, "kubeconfig");
  const entry = (name: string, of: string, value: object): object[] => [{ name, [of]: value }];
  const config = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "c" },
    clusters: entry("c", "cluster", { server: "https://127.0.0.1:1" }),
    users: entry("c", "user", { token: "t" }),
    contexts: entry("c", "context", { cluster: "c", user: "c" }),
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const args = {
  trustDomain: DOMAIN,
  peers: [{ ...peer, caCertificates: issue("CA", { ca: true, permitted: [`federation.${peer.trustDomain}`] }).pem }],
  trustPeerCas: true,
  issuer: { type: "ca" },
} as const;

async function previewed(
  name: string,
  kubeconfig: pulumi.Input<string>,
): Promise<{ seen: Seen[]; warnings: string[] }> {
  const warnings: string[] = [];
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation((text) => {
    warnings.push(text);
    return Promise.resolve();
  });
  const program = (): unknown => new SpireFederation(name, { ...args, kubeconfig, peers: [...args.peers] });
  const seen = await record(program, { preview: true }).finally(() => {
    warn.mockRestore();
  });
  return { seen, warnings };
}

it.each([
  ["that does not answer", "east", nobody()],
  ["to which nothing leads yet", "west", join(folder, "not-yet")],
])("previews all parts on a cluster %s, with one warning", async (_, name, kubeconfig) => {
  const { seen, warnings } = await previewed(name, kubeconfig);
  const names = seen.map((one) => one.name);
  const parts = ["cert-manager-subscription", "certificate-certificate", "router-access-role", "peer-cas-bundle"];
  for (const part of [...parts, "cluster2-trust", "spire-server-server"]) expect(names).toContain(`${name}-${part}`);
  expect(warnings).toEqual([expect.stringContaining("not known; an up needs it")]);
  expect(warnings[0]).toContain(kubeconfig === nobody() ? "127.0.0.1:1" : "not-yet");
});

it("previews all parts while the kubeconfig itself is not known, with one warning", async () => {
  const { seen, warnings } = await previewed("north", pulumi.output(pulumi.unknown as string));
  expect(seen.map((one) => one.name)).toEqual(
    expect.arrayContaining(["north-cluster2-trust", "north-peer-cas-bundle"]),
  );
  expect(warnings).toEqual([expect.stringContaining("context or kubeconfig is not known yet")]);
});

it("fails an up whose kubeconfig turns out to lead nowhere, with the cure", async () => {
  let failure = "";
  await record(
    () => {
      const part = new RouterSecretAccess("south", { kubeconfig: pulumi.output(join(folder, "not-there")) });
      readiness(part).catch((error: unknown) => (failure = String(error)));
    },
    { stalls: true },
  );
  expect(failure).toMatch(/kubeconfig: .*not-there cannot be read/);
});

it("fails an up, with the cure", async () => {
  let failure = "";
  await record(
    () => {
      const peers = [...args.peers];
      const part = new SpireFederation("east", { ...args, kubeconfig: nobody(), peers, trustPeerCas: false });
      readiness(part).catch((error: unknown) => (failure = String(error)));
    },
    { stalls: true },
  );
  expect(failure).toMatch(/127\.0\.0\.1:1.*is the cluster up and reachable/);
  await record(() => {
    const kubeconfig = join(folder, "not-yet");
    expect(() => new SpireFederation("west", { ...args, kubeconfig, peers: [...args.peers] })).toThrow(
      /kubeconfig: .*not-yet cannot be read/,
    );
  }).catch(() => undefined);
});
