/** One stack from its first up to after its last destroy, on a cluster that goes on running. */
import { Cluster } from "../../../lab/client/cluster";
import { OPERATOR, operatorObjects, removeOperator } from "../../../lab/client/operator";
import type { Project } from "../../../lab/client/project";
import { eventually } from "../../../lab/client/eventually";
import { testProject } from "../helpers/identities";

const cluster = new Cluster("cluster1");
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1");
  // Alone: what is tested here is the cluster's own.
  await project.unset("cluster1", "peers");
  await up();
});

const up = (...flags: string[]): Promise<string> => project.up("cluster1", ...flags);
const destroy = (): Promise<string> => project.destroy("cluster1");
const operatorVersions = (): Promise<string[]> => operatorObjects(cluster, "ClusterServiceVersion");
const subscriptions = (): Promise<string[]> => operatorObjects(cluster, "Subscription");

test("an issuer that can no longer issue fails the up, though its certificate is still good", async () => {
  await project.set("cluster1", "issuer.email", "ops@example..com");
  const { code, stdout } = await project.tryUp("cluster1");
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/Issuer letsencrypt-http01: Ready=False .*ops@example\.\.com/);

  await project.unset("cluster1", "issuer.email");
  await up();
});

describe("destroy", () => {
  test("leaves the SPIRE server serving and the cert-manager operator as a whole", async () => {
    const before = (await cluster.endpoint()).keys;
    await destroy();
    expect((await cluster.endpoint()).keys).toEqual(before);
    expect(await subscriptions()).toEqual([OPERATOR]);
    expect(await operatorVersions()).toHaveLength(1);
  });

  test("can be followed by an up that takes up what was left, and a second one that changes nothing", async () => {
    await up();
    await up("--expect-no-changes");
    expect(await operatorVersions()).toHaveLength(1);
  });

  test("leaves nothing that would keep the next certificate from being renewed", async () => {
    const { fingerprint256: old } = (await cluster.endpoint()).certificate;
    await cluster.renew("spire-server-federation-tls");
    await eventually(async () => {
      expect((await cluster.endpoint()).certificate.fingerprint256).not.toBe(old);
    });
  });

  test("of a stack that was renamed leaves the operator, too, and so does the up before it", async () => {
    await project.pulumi("stack", "rename", "renamed", "--stack", "cluster1");
    await project.up("renamed");
    await project.destroy("renamed");
    expect(await subscriptions()).toEqual([OPERATOR]);
    expect(await operatorVersions()).toHaveLength(1);
    await project.pulumi("stack", "rename", "cluster1", "--stack", "renamed");
    await up();
  });

  test("can be followed by somebody who removes the operator, and an up installs it again", async () => {
    await destroy();
    await removeOperator(cluster); // what docs/operate.md says
    await cluster.endpoint();
    await up();
    expect(await subscriptions()).toEqual([OPERATOR]);
    expect(await operatorVersions()).toHaveLength(1);
    await cluster.endpoint();
  });
});
