/** The documented procedure, done as by hand. */
import { loadAllYaml } from "../../components/cluster/kubernetesClient";
import type { Cluster, Manifest } from "../client/cluster";
import { eventually } from "../client/eventually";
import { certManagerRuns, curl, federationDomain, mustBe, serverRuns } from "./looks";
import * as page from "./manifests";

/** Against hanging alone: an operator is installed and servers start on machines that do other things as well. */
const until = <T>(look: () => Promise<T>): Promise<T> => eventually(look, 300);

/** Some of the page's numbered steps that belong together. */
export interface Step {
  /** Their numbers, for example `7-9`. */
  numbers: string;
  title: string;
  run: () => Promise<unknown>;
}

/** All of it: the endpoint of every cluster, then on every cluster the trust in all others (step 21). */
export async function followProcedure(
  clusters: readonly Cluster[],
  issuer: page.IssuerName,
  each: (cluster: Cluster, step: Step) => Promise<unknown> = (_, step) => step.run(),
): Promise<void> {
  for (const cluster of clusters) for (const step of endpointSteps(cluster, issuer)) await each(cluster, step);
  for (const cluster of clusters) {
    const remotes = clusters.filter((other) => other !== cluster);
    for (const step of trustSteps(cluster, remotes)) await each(cluster, step);
  }
}

/** Steps 1 to 15: at their end the cluster serves its bundle. */
export function endpointSteps(cluster: Cluster, issuer: page.IssuerName): Step[] {
  let domain: string;
  return [
    {
      numbers: "1-3",
      title: "cert-manager Operator",
      run: async () => {
        await apply(cluster, page.certManagerOperator);
        await until(() => certManagerRuns(cluster));
      },
    },
    {
      numbers: "4-5",
      title: "Issuer",
      // cert-manager's webhook has its certificate a moment after its pods run; until then the API server refuses the object.
      run: () => until(() => apply(cluster, page.issuers[issuer])),
    },
    {
      numbers: "6",
      title: "federation domain",
      run: async () => {
        domain = await federationDomain(cluster);
      },
    },
    {
      numbers: "7-9",
      title: "Certificate",
      run: async () => {
        await apply(cluster, page.certificate(domain, issuer));
        await until(async () => {
          mustBe(await cluster.read("cert-manager.io/v1", "Certificate", page.CERTIFICATE), "Ready");
        });
      },
    },
    { numbers: "10", title: "router's access to the secret", run: () => apply(cluster, page.routerAccess) },
    {
      numbers: "11-13",
      title: "SpireServer's bundle endpoint",
      run: async () => {
        await apply(cluster, page.spireServer([]));
        await until(() => serverRuns(cluster));
      },
    },
    {
      numbers: "14",
      title: "Route",
      run: () =>
        until(async () => {
          const { route, admitted } = await cluster.admission();
          if (route.spec?.host !== domain) throw new Error(`Route: host ${route.spec?.host ?? "none"}, not ${domain}`);
          if (admitted?.status !== "True") throw new Error(`Route: not admitted: ${admitted?.message ?? ""}`);
        }),
    },
    { numbers: "15", title: "bundle endpoint answers", run: () => until(() => curl(`https://${domain}`)) },
  ];
}

/** Steps 16 to 20: at their end the cluster trusts the remote ones. Their endpoints must answer. */
export function trustSteps(cluster: Cluster, others: readonly Cluster[]): Step[] {
  const bundles = new Map<Cluster, { remote: page.Remote; bundle: string }>();
  return [
    {
      numbers: "16",
      title: "bundles of the other clusters",
      run: async () => {
        for (const other of others) {
          const url = `https://${await federationDomain(other)}`;
          bundles.set(other, { remote: { trustDomain: other.trustDomain, url }, bundle: oneLine(await curl(url)) });
        }
      },
    },
    {
      numbers: "17-18",
      title: "ClusterFederatedTrustDomain for each",
      run: async () => {
        for (const [other, { remote, bundle }] of bundles)
          await apply(cluster, page.federatedTrustDomain(federationName(other), remote, bundle));
      },
    },
    {
      numbers: "19-20",
      title: "federatesWith",
      run: async () => {
        const remotes = [...bundles.values()].map(({ remote }) => remote);
        await apply(cluster, page.spireServer(remotes));
        await until(() => serverRuns(cluster));
      },
    },
  ];
}

/** The page's name of the ClusterFederatedTrustDomain for a remote cluster. */
export const federationName = (remote: Cluster): string => `${remote.name}-federation`;

const oneLine = (json: string): string => JSON.stringify(JSON.parse(json));

async function apply(cluster: Cluster, yaml: string): Promise<void> {
  for (const manifest of loadAllYaml(yaml) as Manifest[]) await cluster.apply(manifest);
}
