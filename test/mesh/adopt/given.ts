/** A cluster that the documented procedure has federated with one other, as its API server shows it. */
import type { KubeObject } from "../../../components/cluster/cluster";
import { loadAllYaml } from "../../../components/cluster/kubernetesClient";
import * as page from "../../../lab/procedure/manifests";
import type { HeldBundle } from "../../../mesh/spire/bundle";
import type { SpireServer } from "../../../mesh/spire/spireServer";
import { freshCluster } from "../../stacks/fixtures";

export const REMOTE = { trustDomain: "apps.cluster2.example.com", url: "https://federation.apps.cluster2.example.com" };
export const BUNDLE = JSON.stringify({ keys: [] });

/** A SPIRE server that holds these bundles. */
export const holding = (...bundles: HeldBundle[]): Pick<SpireServer, "bundles"> => ({
  bundles: () => Promise.resolve(bundles),
});

export type Live = KubeObject & { spec?: Record<string, unknown> };

const objects = (yaml: string): Live[] => loadAllYaml(yaml) as Live[];

/** With `change`, as somebody has done it otherwise. */
export function byHand(change: (live: Live) => unknown = () => undefined): Live[] {
  const { ztwim, ingress, spireServer } = freshCluster();
  const [asked] = objects(page.spireServer([REMOTE]));
  const all: Live[] = [
    ...[ztwim, ingress],
    { ...spireServer, spec: { ...spireServer.spec, ...asked?.spec } },
    ...objects(page.issuers["letsencrypt-http01"]),
    ...objects(page.certificate("federation.apps.cluster1.example.com", "letsencrypt-http01")),
    ...objects(page.routerAccess),
    ...objects(page.federatedTrustDomain("cluster2-federation", REMOTE, BUNDLE)),
  ];
  for (const one of all) change(one);
  return all;
}

/** The one object of a kind. */
export const ofKind =
  (kind: string, edit: (spec: Record<string, unknown>, live: Live) => unknown) =>
  (live: Live): void => {
    if (live.kind === kind) edit((live.spec ??= {}), live);
  };
