/** What holds for each of the five. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as components from "../../components";
import { readiness } from "../../components/shared/gate";
import { record, type Seen } from "../mocks";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { DOMAIN, HOST, peer, ready } from "./given";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("./endpoints"));

type Make = (opts: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;

const table: [string, Make][] = [
  ["CertManagerInstall", (opts) => new components.CertManagerInstall("it", { context: "c" }, opts)],
  [
    "FederationCertificate",
    (opts) =>
      new components.FederationCertificate(
        "it",
        { host: HOST, issuer: { type: "ca", selfSigned: true }, renewJitterHours: 24 },
        opts,
      ),
  ],
  ["RouterSecretAccess", (opts) => new components.RouterSecretAccess("it", {}, opts)],
  [
    "SpireFederationServer",
    (opts) =>
      new components.SpireFederationServer(
        "it",
        { trustDomain: DOMAIN, host: HOST, servingCert: { externalSecretRef: "spire-server-federation-tls" } },
        opts,
      ),
  ],
  ["FederatedTrustDomain", (opts) => new components.FederatedTrustDomain("it", { peer }, opts)],
];

beforeEach(() => {
  useCluster(ready);
});

describe.each(table)("%s", (name, make) => {
  it("is the parent of every child, names it after itself and hands its provider down", async () => {
    const seen = await record(async () => {
      const provider = new k8s.Provider("cluster", { context: "cluster1" });
      await readiness(make({ provider }));
    });
    const children = seen.filter((resource) => !["it", "cluster"].includes(resource.name));
    expect(children.length).toBeGreaterThan(0);
    for (const child of children) {
      expect([child.name, child.parent, child.name.startsWith("it-")]).toEqual([child.name, "it", true]);
      const ours = child.type.startsWith("kubernetes:");
      expect([child.name, child.provider.includes("::cluster::")]).toEqual([child.name, ours]);
    }
  });

  it("has its token, and sends none of its arguments to the engine", async () => {
    const seen = await record(() => make({}));
    expect(seen.filter((resource) => resource.type === `spire-federation:index:${name}`)).toEqual([
      expect.objectContaining({ name: "it", inputs: {} }),
    ]);
  });

  it("previews all that it will make on a cluster where nothing is yet", async () => {
    const names = (seen: Seen[]): string[] => seen.map((resource) => resource.name).sort();
    useCluster(clusterOf());
    const previewed = await record(() => make({}), { preview: true });
    useCluster(ready);
    const made = await record(async () => {
      await readiness(make({}));
    });
    expect(names(previewed)).toEqual(names(made));
  });
});
