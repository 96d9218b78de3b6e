/** `spire-federation precheck`: what can be said before the first up, or of a cluster that is federated by hand. */
import { word } from "../../components/shared/shell";
import { lookup } from "node:dns/promises";
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import type { ProbeFrom } from "../../components/bundle/clusterProbe";
import { federationRoute } from "../../components/route/federationRoute";
import { OPERAND_NAMESPACE } from "../../components/shared/names";
import type { Problem } from "../../components/shared/problem";
import { type PassedPreflight, preflight } from "../../stacks/preflight";
import { readIngressDomain } from "../trust/trustFacts";
import { inParallel } from "../kernel/parallel";
import type { MeshMember } from "../members/members";
import { type Check, evaluate, failed, skipped, ok, see } from "./check";
import { POD } from "../spire/serverCommands";
import { reachable } from "./checks/clusterChecks";
import { networkPolicyCheck } from "./checks/networkPolicyCheck";
import type { Sources } from "./memberFacts";
import { healthOf, type Verification, type VerifiedMember } from "./verification";
import { look, type Looked } from "../kernel/looked";
import type { NetworkPolicy } from "./networkPolicies";
import { OUT_OF_SIGHT, PROBE_IS_CLUSTER } from "./subjects";

export interface PrecheckView extends ClusterAccess {
  member: string;
  probe: ProbeFrom;
  version: Looked<string>;
  /** A cluster that may be changed, or everything that it has against the stack's config. */
  preflight: Looked<PassedPreflight | Problem[]>;
  host: Looked<string>;
  /** Addresses of the host, as this machine resolves it. */
  addresses: Looked<string[]>;
  policies: Looked<NetworkPolicy[]>;
  /** The SPIRE server's. */
  pod: Looked<KubeObject | undefined>;
}

export const precheckChecks: readonly Check<PrecheckView>[] = [
  reachable,
  {
    code: "MESH105",
    title: "nothing in the cluster speaks against the stack's config",
    source: "the API server",
    about:
      "What an up asks first, all at once: ZTWIM and its CRDs are there, its trust domain is the stack's, it is not in create-only mode, the " +
      "SpireServer can serve with the profile, no Route is in the way, and cert-manager can be used or installed.",
    needs: ["MESH101"],
    judge: ({ member, preflight }) => {
      const said = see(preflight);
      if (Array.isArray(said)) {
        const lines = said.map(({ path, message }) => `${path}: ${message}`);
        return failed(lines.join("\n"), `fix these keys in Pulumi.${member}.yaml`);
      }
      const { certManager, route, warnings, notes } = said;
      const operator = certManager === undefined ? "is not needed" : WILL[certManager.state];
      const maker = route.own === undefined ? "the operator's" : "the stack's own";
      return ok([`cert-manager ${operator}; the Route will be ${maker}`, ...notes, ...warnings].join("\n"));
    },
  },
  {
    code: "MESH106",
    title: "the endpoint's host resolves",
    source: "this machine's DNS",
    about:
      "The host that the bundle endpoint will have leads somewhere. Peers and, for HTTP-01, the ACME server must be able to resolve it as well, " +
      "and to reach the router there. Skipped where the stack has probe: cluster and the host resolves elsewhere only.",
    needs: ["MESH101"],
    judge: ({ host, addresses, probe }) => {
      const name = see(host);
      if ("seen" in addresses) return ok(`${name} is ${addresses.seen.join(", ")}`);
      if (probe === "cluster") return skipped(`${OUT_OF_SIGHT}${PROBE_IS_CLUSTER} (${addresses.because})`);
      return failed(
        `${name}: ${addresses.because}`,
        `let the wildcard record of the ingress domain lead to the router: dig ${word(name)}`,
      );
    },
  },
  networkPolicyCheck(({ policies, pod }: PrecheckView) => ({ policies: see(policies), pod: see(pod), ports: [] })),
];

const WILL = {
  absent: "will be installed",
  ours: "is there, installed by this stack",
  foreign: "is there, and will be used as it is",
  plain: "is there, and will be used as it is",
} as const;

/** @param now when it is looked at */
export async function precheck(
  members: readonly MeshMember[],
  cluster: (access: ClusterAccess) => Sources,
  version: string,
  now: Date,
  parallel: number,
): Promise<Verification> {
  const checked = await inParallel(parallel, members, (member) => precheckMember(member, cluster));
  return { at: now.toISOString(), version, members: checked, pairs: [], peers: [] };
}

async function precheckMember(
  { name, config }: MeshMember,
  cluster: (access: ClusterAccess) => Sources,
): Promise<VerifiedMember> {
  const { trustDomain } = config;
  const access = accessOf(config);
  const version = await look(() => cluster(access).api.version());
  const reader = (): Cluster => cluster(access).reader;
  const ifReached = async <T>(read: () => Promise<T>): Promise<Looked<T>> =>
    "because" in version ? version : look(read);
  const host = await ifReached(async () => {
    const domain = await readIngressDomain(reader());
    if (domain === undefined)
      throw new Error("the cluster has no ingress domain (ingresses.config.openshift.io/cluster)");
    return federationRoute(config, domain).host;
  });
  const checks = evaluate(precheckChecks, {
    member: name,
    probe: config.probe,
    ...access,
    version,
    preflight: await ifReached(() => preflight(config, reader)),
    host,
    addresses: await look(async () => {
      if ("because" in host) throw new Error(host.because);
      const found = await lookup(host.seen, { all: true });
      return found.map(({ address }) => address);
    }),
    policies: await ifReached(() => reader().list("networking.k8s.io/v1", "NetworkPolicy", OPERAND_NAMESPACE)),
    pod: await ifReached(() => reader().get("v1", "Pod", POD, OPERAND_NAMESPACE)),
  });
  return { member: name, trustDomain, health: healthOf(checks), checks, lifetimes: [] };
}
