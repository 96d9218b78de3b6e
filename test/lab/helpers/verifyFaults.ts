/**
 * What goes wrong with federations, and what `spire-federation verify` is to say of each: where an operator, a
 * certificate, a key or a process takes part. What only edits an object is in test/mesh/verify/faults.ts.
 */
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import {
  brokenConf,
  CERTIFICATE,
  change,
  type Injection,
  issuing,
  merge,
  pidOf,
  presented,
  removal,
  served,
  signal,
  spec,
  withoutKubelet,
} from "./injections";

const [cluster1, cluster2, cluster3] = [
  new Cluster("cluster1"),
  new Cluster("cluster2"),
  new Cluster("cluster3", "cluster3.example.com"),
];
export const CLUSTERS = [cluster1, cluster2, cluster3] as const;

export const othersOf = (cluster: Cluster): Cluster[] => CLUSTERS.filter((other) => other !== cluster);

export interface Fault extends Injection {
  name: string;
  /** `cluster1 MESH121`; no others, and each failed. */
  found: string[];
  /** Of the first. */
  cure: RegExp;
}

const up = (cluster: Cluster): RegExp => new RegExp(`up --refresh --stack ${cluster.name}$`);
const forget = (trustDomain: string): RegExp => new RegExp(`bundle delete -id spiffe://${trustDomain}`);
const refreshOf = (cluster: Cluster): RegExp => new RegExp(`federation refresh -id ${cluster.trustDomain}$`);
const routers = (cluster: Cluster, replicas: number): Promise<void> =>
  merge(cluster, "Deployment", "router-default", spec({ replicas }), "openshift-ingress");
const createOnly = (value: string): Promise<void> => cluster3.setOperatorEnv("CREATE_ONLY_MODE", value);
const datastore = (connectionString: string): object => spec({ datastore: { connectionString } });
const entry = ({ host, trustDomain }: Pick<Cluster, "host" | "trustDomain">): object => ({
  trustDomain,
  bundleEndpointUrl: `https://${host}`,
  bundleEndpointProfile: "https_web",
});
const listed = (...more: object[]): object =>
  spec({ federation: { federatesWith: [...othersOf(cluster1).map(entry), ...more] } });
const names = (host: string): object => spec({ commonName: host, dnsNames: [host] });

/** Keys that a trust domain signs with from now on; the old ones stay good. */
async function rotate(cluster: Cluster, kind: "x509" | "jwt"): Promise<void> {
  const prepared = await cluster.spireServer("localauthority", kind, "prepare", "-output", "json");
  const { prepared_authority: next } = JSON.parse(prepared) as { prepared_authority: { authority_id: string } };
  await cluster.spireServer("localauthority", kind, "activate", "-authorityID", next.authority_id);
}

/** The peer gets new keys while its endpoint is down, and nobody looks at it again before long. */
async function rotateUnseen(kind: "x509" | "jwt"): Promise<void> {
  await routers(cluster2, 0);
  await rotate(cluster2, kind);
  await routers(cluster2, 1);
}

const scaleCertManager = (replicas: number): Promise<void> =>
  merge(cluster2, "Deployment", "cert-manager", spec({ replicas }), "cert-manager");

const bundleOf = async ({ host }: Cluster): Promise<string> => (await fetch(`https://${host}`)).text();

/** Its own bundle with one more JWT key, which is on no curve. */
async function withOddKey(cluster: Cluster): Promise<string> {
  const bundle = JSON.parse(await bundleOf(cluster)) as { keys: object[] };
  const odd = { use: "jwt-svid", kid: "odd", kty: "EC", crv: "P-256", x: "AA", y: "AA" };
  return JSON.stringify({ ...bundle, keys: [...bundle.keys, odd] });
}

/** Does something again and again, because the cluster puts it right by itself. */
function repeated(everyMs: number, act: () => Promise<void>, end = (): Promise<void> => Promise.resolve()): Injection {
  let repeating: NodeJS.Timeout;
  return {
    inject: () => {
      repeating = setInterval(() => {
        act().catch(() => undefined);
      }, everyMs);
      return act();
    },
    undo: () => {
      clearInterval(repeating);
      return end();
    },
  };
}

/**
 * What goes wrong at the same time, each in a cluster of its own: no fault of a round changes what is found of another one. A
 * SPIRE server that starts asks its peers at once, so no server restarts while a peer's endpoint is out of order.
 */
export const ROUNDS: Fault[][] = [
  [
    {
      name: "Role deleted",
      ...removal(cluster1, "Role", "secret-reader"),
      found: ["cluster1 MESH121"],
      cure: up(cluster1),
    },
    {
      name: "ClusterFederatedTrustDomain deleted",
      ...removal(cluster2, "ClusterFederatedTrustDomain", "cluster3-federation"),
      found: ["cluster2->cluster3 MESH201"],
      cure: up(cluster2),
    },
    {
      name: "Route deleted",
      ...removal(cluster3, "Route", cluster3.route),
      found: ["cluster3 MESH141"],
      cure: up(cluster3),
    },
  ],
  [
    {
      name: "certificate for another host",
      ...issuing(
        cluster1,
        change(cluster1, "Certificate", CERTIFICATE, names("other.apps.cluster1.example.com"), names(cluster1.host)),
      ),
      found: ["cluster1 MESH112", "cluster1 MESH145"],
      cure: up(cluster1),
    },
    {
      name: "Issuer broken",
      ...change(
        cluster2,
        "Issuer",
        "letsencrypt-http01",
        spec({ acme: { server: "https://acme.stranger.example.com/directory" } }),
        spec({ acme: { server: "https://acme-v02.api.letsencrypt.org/directory" } }),
      ),
      found: ["cluster2 MESH111"],
      cure: /describe issuer letsencrypt-http01/,
    },
  ],
  [
    {
      name: "foreign federatesWith entry",
      ...change(
        cluster1,
        "SpireServer",
        "cluster",
        listed(entry({ host: "federation.stranger.example.com", trustDomain: "stranger.example.com" })),
        listed(),
      ),
      found: ["cluster1 MESH302"],
      cure: forget("stranger.example.com"),
    },
    {
      name: "agents that may not ask the kubelet",
      ...withoutKubelet(cluster3),
      found: ["cluster3 MESH137"],
      cure: /auth can-i get nodes\/proxy/,
    },
  ],
  [
    {
      name: "endpoint down",
      inject: () => routers(cluster1, 0),
      undo: () => routers(cluster1, 1),
      found: ["cluster1 MESH143"],
      cure: /get pods -n openshift-ingress/,
    },
    {
      name: "create-only mode",
      inject: () => createOnly("true"),
      undo: () => createOnly("false"),
      found: ["cluster3 MESH104"],
      cure: /CREATE_ONLY_MODE/,
    },
  ],
  [
    {
      name: "SPIRE server crash-looping",
      inject: () => merge(cluster2, "SpireServer", "cluster", datastore("/nowhere/datastore.sqlite3")),
      undo: async () => {
        await merge(cluster2, "SpireServer", "cluster", datastore("/run/spire/data/datastore.sqlite3"));
        await cluster2.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
      },
      found: ["cluster2 MESH134"],
      cure: /logs spire-server-0 -c spire-server --previous/,
    },
    {
      name: "spire-controller-manager stopped",
      // Whenever it is started again.
      ...repeated(500, () => {
        signal(cluster3, /spire-controller-manager/, "SIGKILL");
        return Promise.resolve();
      }),
      found: ["cluster3 MESH135"],
      cure: /logs spire-server-0 -c spire-controller-manager/,
    },
  ],
  [
    {
      name: "endpoint certificate of an unknown CA",
      ...presented(cluster1, {}),
      found: ["cluster1 MESH146", "cluster1 MESH149"],
      cure: /cmctl --context cluster1 renew/,
    },
    {
      name: "cert-manager down",
      // Its operator scales it up again, sooner or later.
      ...repeated(
        1000,
        () => scaleCertManager(0),
        () => scaleCertManager(1),
      ),
      found: ["cluster2 MESH102"],
      cure: /get deployments,pods -n cert-manager$/,
    },
  ],
  [
    {
      name: "expired certificate",
      ...presented(cluster1, { notBefore: new Date(Date.now() - 7200_000), notAfter: new Date(Date.now() - 3600_000) }),
      found: ["cluster1 MESH144", "cluster1 MESH149"],
      cure: /cmctl --context cluster1 renew/,
    },
    {
      name: "peer's CA rotated while its endpoint was down",
      inject: () => rotateUnseen("x509"),
      undo: () => Promise.resolve(),
      found: ["cluster1->cluster2 MESH211", "cluster3->cluster2 MESH211"],
      cure: refreshOf(cluster2),
    },
  ],
  [
    {
      name: "the same for JWT keys",
      inject: () => rotateUnseen("jwt"),
      undo: () => Promise.resolve(),
      found: ["cluster1->cluster2 MESH212", "cluster3->cluster2 MESH212"],
      cure: refreshOf(cluster2),
    },
    {
      name: "endpoint serving another domain's bundle",
      ...served(cluster3, () => bundleOf(cluster1)),
      found: ["cluster3 MESH147"],
      cure: /get route spire-federation-endpoint/,
    },
  ],
  [
    {
      name: "a JWT key that is none in what an endpoint serves",
      ...served(cluster3, () => withOddKey(cluster3)),
      found: ["cluster3 MESH147"],
      cure: /get route spire-federation-endpoint/,
    },
    {
      name: "server.conf that cannot be parsed",
      ...brokenConf(cluster1),
      found: ["cluster1 MESH132"],
      cure: /CreateOnlyMode/,
    },
  ],
  [
    {
      name: "API server unreachable",
      inject: () => Promise.resolve(process.kill(pidOf(cluster1, "kube-apiserver"), "SIGSTOP")),
      undo: () => Promise.resolve(process.kill(pidOf(cluster1, "kube-apiserver"), "SIGCONT")),
      found: ["cluster1 MESH101"],
      cure: /oc --context cluster1 version/,
    },
  ],
];
