/**
 * The cases of docs/recover.md, by the page's own commands. Before the cure verify names each, and after it all pairs are
 * healthy; how long that took is printed. The tests build on each other; jest runs them in order.
 */
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { removeOperator } from "../../../lab/client/operator";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { running } from "../../../lab/client/workload";
import { authoritiesBy } from "../../../mesh/spire/authorities";
import { read } from "../../docs/pages";
import { gone, inHandsOf, testProject } from "../helpers/identities";
import { CERT_MANAGER, CERTIFICATE, merge, presented, signal, spec } from "../helpers/injections";
import { removeBundles } from "../helpers/leftovers";
import { report } from "../helpers/report";
import { rotateAuthorities } from "../helpers/rotation";
import { commandsBelow, typed, withTools } from "../helpers/typed";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const members = [cluster1, cluster2];
const PAGE = "docs/recover.md";
const OPERATOR_API = "operator.openshift.io/v1alpha1";
let project: Project;
let tools: Record<string, string>;

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  tools = await withTools(project);
  // A revocation waits for JWT-SVIDs.
  await lives({ defaultJWTValidity: "1m" });
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(stdout + stderr);
  await removeBundles(cluster1, [cluster2]);
  await removeBundles(cluster2, [cluster1]);
  await run("npx spire-federation verify --wait");
});

afterAll(() => restarted(() => lives({ defaultJWTValidity: null })));

/** How long what cluster1's SPIRE server signs lives; ZTWIM's defaults where null. */
const lives = (validities: Record<string, string | null>): Promise<void> =>
  merge(cluster1, "SpireServer", "cluster", spec(validities));

/** What is typed ends well. */
async function run(text: string, by = project): Promise<string> {
  const { code, shown } = await typed(by, text, tools);
  if (code !== 0) throw new Error(`${text}: ended with exit code ${String(code)}:\n${shown}`);
  return shown;
}

/** The cure, and then what the page ends with; prints how long all of it took. */
async function cured(what: string, cure: () => Promise<unknown>): Promise<void> {
  const begun = Date.now();
  await cure();
  await run("npx spire-federation verify --wait");
  process.stdout.write(`recovered: ${what}: ${String(Math.round((Date.now() - begun) / 1000))} s\n`);
}

/** The blocks below a heading of the page, one after the other. */
async function follow(heading: string, blocks: (text: string) => boolean = () => true): Promise<void> {
  const texts = commandsBelow(PAGE, heading).filter(blocks);
  expect(texts).not.toEqual([]);
  for (const text of texts) await run(text);
}

/** What verify finds failed, as `cluster2->cluster1 MESH211: evidence`. */
async function failing(): Promise<string[]> {
  const { stdout, stderr } = await project.mesh("verify", "-o", "json");
  if (stdout === "") throw new Error(stderr);
  const { members: each, pairs } = report("verify", stdout);
  const all = [
    ...each.map(({ member, checks }) => ({ who: member, checks })),
    ...pairs.map(({ member, peer, checks }) => ({ who: `${member}->${peer}`, checks })),
  ];
  return all.flatMap(({ who, checks }) =>
    checks.flatMap((one) => (one.state === "failed" ? [`${who} ${one.code}: ${one.evidence}`] : [])),
  );
}

/** Soon, each of these is among them. */
const names = (...found: (string | RegExp)[]): Promise<void> =>
  eventually(async () => {
    expect(await failing()).toEqual(expect.arrayContaining(found.map((text): unknown => expect.stringMatching(text))));
  }, 60);

const drifted = async (by = project): Promise<string[]> =>
  report("drift", (await by.mesh("drift", "-o", "json")).stdout).members.flatMap(({ findings }) =>
    findings.map(({ code }) => code),
  );

/** Peers that have just looked do not look again for 75 seconds. */
const looked = (): Promise<unknown> =>
  Promise.all([cluster1.refreshBundle(cluster2.trustDomain), cluster2.refreshBundle(cluster1.trustDomain)]);

async function removeVolume(cluster: Cluster): Promise<void> {
  const claim = { name: "spire-data-spire-server-0", namespace: NAMESPACE };
  await cluster.core.deleteNamespacedPersistentVolumeClaim(claim);
  await cluster.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE }).catch(gone);
  await eventually(async () => {
    const claims = await cluster.core.listNamespacedPersistentVolumeClaim({ namespace: NAMESPACE });
    expect(claims.items.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined)).toEqual([]);
  });
}

const serverRuns = (cluster: Cluster): Promise<void> =>
  eventually(async () => {
    running(await cluster.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE }));
    await cluster.spireServer("healthcheck");
  });

/** A change that makes ZTWIM restart cluster1's SPIRE server; returns when the new one runs. */
async function restarted(change: () => Promise<void>): Promise<void> {
  const server = { name: "spire-server-0", namespace: NAMESPACE };
  const before = (await cluster1.core.readNamespacedPod(server)).metadata?.uid;
  await change();
  await eventually(async () => {
    expect((await cluster1.core.readNamespacedPod(server)).metadata?.uid).not.toBe(before);
  });
  await serverRuns(cluster1);
}

test("SPIRE's volume is lost", async () => {
  await looked();
  const { keys } = await cluster1.endpoint();
  await removeVolume(cluster1);
  await serverRuns(cluster1);
  await eventually(async () => {
    expect((await cluster1.endpoint()).keys).not.toEqual(keys);
  });
  await names("cluster2->cluster1 MESH211", "cluster2->cluster1 MESH212");
  await cured("SPIRE's volume is lost", () => follow("SPIRE's volume is lost"));
  await held(cluster2, cluster1);
  await held(cluster1, cluster2);
});

/** As near as the lab comes to another cluster: nothing of ZTWIM's operands, of SPIRE's data, of cert-manager and of the stack is left. */
async function createAgain(cluster: Cluster): Promise<void> {
  const operands = ["ZeroTrustWorkloadIdentityManager", "SpireServer", "SpireAgent", "SpiffeCSIDriver"];
  const saved: Manifest[] = [];
  for (const kind of operands) {
    const { spec: found } = await cluster.read(OPERATOR_API, kind, "cluster");
    // As before the stack.
    const spec = { ...found, federation: undefined };
    saved.push({ apiVersion: OPERATOR_API, kind, metadata: { name: "cluster" }, spec });
  }
  try {
    for (const [api, kind, name] of [
      ["cert-manager.io/v1", "Certificate", CERTIFICATE],
      ["cert-manager.io/v1", "Issuer", "letsencrypt-http01"],
      ["v1", "Secret", CERTIFICATE],
      ["rbac.authorization.k8s.io/v1", "Role", "secret-reader"],
      ["rbac.authorization.k8s.io/v1", "RoleBinding", "secret-reader-binding"],
      ["spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "cluster2-federation"],
      ...operands.map((kind) => [OPERATOR_API, kind, "cluster"]).reverse(),
      ["route.openshift.io/v1", "Route", cluster.route],
    ] as [string, string, string][])
      await cluster.remove(api, kind, name).catch(gone);
    await removeOperator(cluster);
    await eventually(async () => {
      const left = (await cluster.pods()).filter(({ metadata }) => /^spire-(server|agent)/.test(metadata?.name ?? ""));
      expect(left).toEqual([]);
    });
    await removeVolume(cluster);
  } finally {
    for (const manifest of saved) {
      await cluster.apply(manifest);
      if (manifest.kind === "SpireServer") await serverRuns(cluster);
    }
  }
}

test("the cluster is created again, under the same trust domain", async () => {
  await looked();
  await createAgain(cluster1);
  await names("cluster2->cluster1 MESH211");
  expect(await drifted()).toContain("object-missing");
  await cured("the cluster was created again", async () => {
    await follow("The cluster was created again");
    await run("npx spire-federation up");
  });
  await held(cluster2, cluster1);
  expect(await drifted()).toEqual([]);
});

describe("Pulumi's state is lost", () => {
  const HEADING = "Pulumi's state is lost";
  const isImport = (text: string): boolean => text.includes("stack import");
  const nothingToDo = async (): Promise<void> => {
    const preview = await project.mesh("preview", "--expect-no-changes");
    expect([preview.code, preview.code === 0 ? "" : preview.stdout]).toEqual([0, ""]);
  };

  test("of one stack, with a backup", async () => {
    for (const text of commandsBelow("docs/recipes.md", "Back up the state")) await run(text);
    await project.pulumi("stack", "rm", "cluster1", "--force", "--yes", "--preserve-config");
    expect(await failing()).toEqual([]);
    expect((await project.run("preview", "--stack", "cluster2")).stdout).toMatch(/unknown stack/);
    await cured("a state is lost, with a backup", () => follow(HEADING, isImport));
    await nothingToDo();
  });

  test("of all stacks, without one", async () => {
    const state = join(project.dir, "state");
    await rm(state, { recursive: true });
    await mkdir(state);
    expect(await failing()).toEqual([]);
    await cured("all states are lost, without a backup", () => follow(HEADING, (text) => !isImport(text)));
    await nothingToDo();
  });
});

test("the endpoint's certificate has expired", async () => {
  const hours = (count: number): Date => new Date(Date.now() - count * 3_600_000);
  const certManagerWorks = (): void => {
    signal(cluster1, CERT_MANAGER, "SIGCONT");
  };
  try {
    await presented(cluster1, { notBefore: hours(2), notAfter: hours(1) }).inject(); // cert-manager is stopped
    await names("cluster1 MESH144");
    await cured("the endpoint's certificate has expired", async () => {
      certManagerWorks();
      await follow("The endpoint's certificate has expired");
    });
  } finally {
    certManagerWorks();
  }
  await looked();
});

test("a peer was away for longer than its keys live", async () => {
  const routers = (replicas: number): Promise<void> =>
    merge(cluster1, "Deployment", "router-default", spec({ replicas }), "openshift-ingress");
  try {
    // ZTWIM refuses a CA that lives shorter than what it signs.
    await restarted(() => lives({ caValidity: "3m", defaultX509Validity: "1m" }));
    await rotateAuthorities(cluster1);
    const end = Date.now() + 180_000;
    await eventually(looked);
    await held(cluster2, cluster1);
    await routers(0);
    // What SPIRE prepares next lives a day again.
    await restarted(() => lives({ caValidity: null, defaultX509Validity: null }));
    await sleep(end - Date.now());
    await names(/^cluster2->cluster1 MESH211: .*nothing that it holds is still valid/);
    await cured("a peer was away too long", () => routers(1));
  } finally {
    await routers(1);
    await lives({ caValidity: null, defaultX509Validity: null });
  }
  await held(cluster2, cluster1);
});

describe("stolen", () => {
  test("a key with which SPIRE signs", async () => {
    const server = authoritiesBy({ run: (...args) => cluster1.spireServer(...args) });
    const { id = "" } = (await server.slots("jwt")).active ?? {};
    const [, command = ""] = /`(npx spire-federation revoke cluster1 --key ID)`/.exec(read(PAGE)) ?? [];
    const rotating = await inHandsOf("rotator", project, members);
    await cured("SPIRE's JWT key has leaked", () => run(command.replace("ID", id), rotating));
    expect((await cluster2.heldKeys(cluster1.trustDomain))?.jwt).not.toContain(id);
  });

  test("the deployer's token", async () => {
    const thief = project;
    const object: Manifest = {
      apiVersion: "spire.spiffe.io/v1alpha1",
      kind: "ClusterFederatedTrustDomain",
      metadata: { name: "thief" },
      spec: {
        className: "zero-trust-workload-identity-manager-spire",
        trustDomain: "thief.example.org",
        bundleEndpointURL: "https://thief.example.org",
        bundleEndpointProfile: { type: "https_web" },
      },
    };
    const file = join(project.dir, "thief.json");
    await writeFile(file, JSON.stringify(object));
    const withToken = async (...args: string[]): Promise<string> => {
      const kubeconfig = thief.env["KUBECONFIG"] ?? "";
      const command = ["--kubeconfig", kubeconfig, "--context", "cluster1", ...args];
      return (await promisify(execFile)("kubectl", command)).stdout;
    };
    const auditor = await inHandsOf("auditor", project, members);
    await withToken("create", "-f", file);
    try {
      await names("cluster1 MESH301");
      await cured("the deployer's token was stolen", async () => {
        const [replace = ""] = commandsBelow(PAGE, "The deployer's token");
        expect(await run(replace)).toMatch(/eyJ/);
        // An API server goes on accepting a token that it has just accepted, for ten seconds.
        await eventually(async () => {
          await expect(withToken("get", "clusterfederatedtrustdomains")).rejects.toThrow(
            /must be logged in|Unauthorized/,
          );
        });
        expect(await drifted(auditor)).toContain("trust-domain-undeclared");
        await run("oc --context cluster1 delete clusterfederatedtrustdomain thief");
        project = await inHandsOf("deployer", project, members);
        await run("npx pulumi up --refresh --stack cluster1");
      });
    } finally {
      await cluster1.remove(object.apiVersion, object.kind, object.metadata.name).catch(gone);
    }
    expect(await drifted(auditor)).toEqual([]);
  });

  test("the key of the endpoint's certificate, which another replaces", async () => {
    const { fingerprint256, pubkey } = (await cluster1.endpoint()).certificate;
    await cured("the endpoint's key was stolen", async () => {
      await follow("The endpoint's certificate has expired");
      await eventually(async () => {
        expect((await cluster1.endpoint()).certificate.fingerprint256).not.toBe(fingerprint256);
      });
    });
    expect((await cluster1.endpoint()).certificate.pubkey).not.toEqual(pubkey);
  });
});
