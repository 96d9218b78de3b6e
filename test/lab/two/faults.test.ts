/**
 * What goes wrong on a cluster: each fault ends the up with the object, what it says and what to do. The tests of a
 * cluster build on each other: each up gets past the fault before, which is undone, and to the next one.
 */
import { execFileSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Condition } from "../../../components/cluster/cluster";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { OPERATOR, OPERATOR_NAMESPACE, removeOperator } from "../../../lab/client/operator";
import { labState, Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { has, ip } from "../../needs";
import { Row } from "../helpers/row";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const SPIRE_SERVER = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer" };
const CERTIFICATE = "spire-server-federation-tls";
/** It exists, so that preflight has nothing against it, and no router serves it. */
const NOBODYS_CLASS = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name: "nobody" },
  spec: { controller: "example.com/nobody" },
};
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

let begin: () => void;
const begun = new Promise<void>((resolve) => (begin = resolve));

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2", "stranger");
  for (const stack of ["cluster1", "cluster2"]) await project.unset(stack, "peers");
  begin();
});

/** An up, with flags if there are any, that ends in an error with all of this. */
async function fails([stack = "", ...flags]: string[], ...said: (string | RegExp)[]): Promise<void> {
  const { code, stdout, stderr } = await project.tryUp(stack, ...flags);
  const [, error = ""] = (stdout + stderr).split("Diagnostics:");
  for (const text of said) expect(error).toMatch(text);
  expect(code).not.toBe(0);
}

/** What `cmctl renew` does until it has worked: on a busy machine the ACME server may give up once more, and cert-manager then waits an hour. */
async function renewed(): Promise<void> {
  await cluster2.renew(CERTIFICATE);
  await eventually(async () => {
    const { status } = await cluster2.read("cert-manager.io/v1", "Certificate", CERTIFICATE);
    const { conditions = [] } = status as { conditions?: Condition[] };
    const stateOf = (type: string): string | undefined => conditions.find((one) => one.type === type)?.status;
    if (stateOf("Issuing") === "False") await cluster2.renew(CERTIFICATE);
    expect(stateOf("Ready")).toBe("True");
  }, 300);
}

/** Acts while something runs, and ends with it whatever comes of the act. */
async function during(running: Promise<unknown>, act: () => Promise<void>): Promise<void> {
  const [acted, ran] = await Promise.allSettled([act(), running]);
  for (const outcome of [acted, ran]) if (outcome.status === "rejected") throw outcome.reason;
}

describe("on a cluster that gets cert-manager and a certificate", () => {
  const row = new Row(begun);

  row.test("a channel that the catalog does not have", async () => {
    await removeOperator(cluster2);
    await project.set("cluster2", "certManager.channel", "stable-v9");
    await fails(
      ["cluster2"],
      /ResolutionFailed=True \(ConstraintsNotSatisfiable\): .*channel stable-v9/,
      `oc --context cluster2 get packagemanifest -n openshift-marketplace ${OPERATOR}`,
    );
    await project.unset("cluster2", "certManager");
  });

  row.test("no OperatorGroup", async () => {
    await cluster2.remove("operators.coreos.com/v1", "OperatorGroup", OPERATOR, OPERATOR_NAMESPACE);
    await fails(["cluster2"], `namespace ${OPERATOR_NAMESPACE} has no OperatorGroup`, "pulumi up --refresh");
  });

  row.test("a CA whose secret is missing", async () => {
    await project.set("cluster2", "issuer.type", "ca");
    await project.set("cluster2", "issuer.secretName", "no-such-ca");
    await fails(["cluster2", "--refresh"], /Issuer internal-ca\S*: Ready=False .*no-such-ca.*put right what it says/);
    await project.unset("cluster2", "issuer.secretName");
    await project.set("cluster2", "issuer.type", "acme");
  });

  row.test("a certificate that never comes, because no router serves the challenge", async () => {
    await cluster2.apply(NOBODYS_CLASS);
    await project.set("cluster2", "issuer.ingressClassName", "nobody");
    // Another file's tests may have left a good one.
    await cluster2.core.deleteNamespacedSecret({ name: CERTIFICATE, namespace: NAMESPACE }).catch(() => undefined);
    await fails(
      ["cluster2"],
      /Challenge \S+: pending, Waiting for HTTP-01 challenge propagation/,
      "Check that issuer.ingressClassName is a class that the router serves",
    );
    await project.unset("cluster2", "issuer.ingressClassName");
    await cluster2.remove(NOBODYS_CLASS.apiVersion, NOBODYS_CLASS.kind, NOBODYS_CLASS.metadata.name);
  });

  const testWithIp = has(ip()) ? row.test.bind(row) : test.skip;
  testWithIp("an order that the ACME server refuses, because it cannot reach the cluster", async () => {
    const { address } = await lookup(cluster2.host);
    const firewall = (command: "add" | "del"): Buffer =>
      execFileSync("ip", ["rule", command, "to", address, "ipproto", "tcp", "dport", "80", "unreachable"]);
    firewall("add");
    try {
      await fails(
        ["cluster2"],
        /Order \S+: invalid/,
        new RegExp(`Challenge \\S+: invalid, .*${address}:80`),
        `cmctl --context cluster2 renew ${CERTIFICATE} -n ${NAMESPACE}`,
      );
    } finally {
      firewall("del");
    }
    await renewed();
  });

  row.test("none: the up works", async () => {
    await project.up("cluster2");
    await cluster2.endpoint();
  });
});

describe("on a cluster whose SPIRE server is to federate", () => {
  const row = new Row(begun);
  const datastore = (connectionString: string): Promise<void> =>
    cluster1.merge({ ...SPIRE_SERVER, metadata: { name: "cluster" }, spec: { datastore: { connectionString } } });
  const routers = (replicas: number): Promise<void> =>
    cluster1.merge({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "router-default", namespace: "openshift-ingress" },
      spec: { replicas },
    });

  row.test("a SPIRE server that crashes", async () => {
    await datastore("/nowhere/datastore.sqlite3");
    await fails(
      ["cluster1"],
      /SpireServer cluster: StatefulSet spire-server is rolling out.*Pod spire-server-0 is .*last exit code 1/,
      `oc --context cluster1 logs -n ${NAMESPACE} spire-server-0 -c spire-server --previous`,
      `oc --context cluster1 delete pod -n ${NAMESPACE} spire-server-0`,
    );
    await datastore("/run/spire/data/datastore.sqlite3");
    await cluster1.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  });

  row.test("a bundle endpoint that cannot be reached", async () => {
    await routers(0);
    await project.set("cluster1", "endpoint.refreshHint", "301");
    await fails(["cluster1"], /https:\/\/federation\.apps\.cluster1\.example\.com.*ECONNREFUSED.*router runs/);
    await routers(1);
  });

  row.test("an API server that answers no more", async () => {
    const pid = Number(await readFile(join(labState(), "cluster1", "kube-apiserver.pid"), "utf8"));
    await project.set("cluster1", "endpoint.refreshHint", "302");
    const said = /context "cluster1" \(https:.*no answer within 10 s; is the cluster up/;
    await during(fails(["cluster1"], said), async () => {
      await eventually(async () => {
        const { spec } = await cluster1.read(SPIRE_SERVER.apiVersion, SPIRE_SERVER.kind, "cluster");
        expect(spec).toMatchObject({ federation: { bundleEndpoint: { refreshHint: 302 } } });
      }, 600);
      process.kill(pid, "SIGSTOP");
    }).finally(() => process.kill(pid, "SIGCONT"));
    await project.up("cluster1");
  });
});

test("a peer whose endpoint serves another trust domain's bundle", async () => {
  const federation = (await project.outputs("cluster2"))["federation"] as object;
  const publish = async (bundleEndpointUrl: string): Promise<void> => {
    const file = join(project.dir, "stranger.json");
    await writeFile(file, JSON.stringify(deployment("stranger", { federation: { ...federation, bundleEndpointUrl } })));
    await project.pulumi("stack", "import", "--stack", "stranger", "--file", file);
  };
  await project.set("cluster1", "federatesWith", "dynamic"); // without a restart of the server
  await project.set("cluster1", "peers[0]", "stranger");
  await publish("https://federation.apps.cluster1.example.com");
  await fails(
    ["cluster1"],
    /peer stranger: .*is of spiffe:\/\/apps\.cluster1\.example\.com; the bundle must be of spiffe:\/\/apps\.cluster2/,
  );
  await publish("https://federation.apps.cluster2.example.com");
  await project.up("cluster1");
  await eventually(() => held(cluster1, cluster2));
});

/** What a stack's state is when it has made nothing but outputs. */
function deployment(stack: string, outputs: object): object {
  const [type, name] = ["pulumi:pulumi:Stack", `spire-federation-${stack}`];
  const urn = `urn:pulumi:${stack}::spire-federation::${type}::${name}`;
  return { version: 3, deployment: { resources: [{ urn, custom: false, type, outputs }] } };
}
