/** What others have made that an up would overwrite, or that would stand in its way; and the ways out. Pure. */
import { accessOf, oc } from "../components/cluster/access";
import { twinsOf } from "../components/bundle/twins";
import { objectName } from "../components/bundle/objectName";
import { describeForeign, foreignValues } from "../components/cluster/foreignValue";
import { foreignFederation, type FederatedServer } from "../components/spireServer/foreignFederation";
import { renderBundleEndpoint } from "../components/spireServer/bundleEndpoint";
import { federationSpec } from "../components/spireServer/federationSpec";
import type { TrustObject } from "../components/bundle/bundleMark";
import type { FederationRoute } from "../components/route/federationRoute";
import type { Peer } from "../components/bundle/peer";
import { OPERAND_NAMESPACE, PROGRAM } from "../components/shared/names";
import { type Problem, problem } from "../components/shared/problem";
import { word } from "../components/shared/shell";
import type { ClusterConfig } from "./config";
import { bundleEndpoint } from "./endpoint";
import type { MadeObject } from "./madeObjects";

/** The cluster as it is before the up. */
interface Before {
  config: ClusterConfig;
  spireServer: FederatedServer | undefined;
  trust: readonly TrustObject[];
  route: FederationRoute;
  made: readonly MadeObject[];
}

export interface Judged {
  problems: Problem[];
  warnings: string[];
}

/** @param peers whom the cluster is to trust */
export function judgeForeign(before: Before, peers: readonly Peer[]): Judged {
  const { problems, warnings } = judgeFederation(before, peers);
  const twins = peers.flatMap(({ stack, trustDomain, objectName: own }) =>
    twinsOf(trustDomain, objectName(stack, own), before.trust, accessOf(before.config)),
  );
  const others = before.made.flatMap((one) => judgeMade(before.config, one));
  return { problems: [...problems, ...others, ...twins.flatMap((message) => problem("peers", message))], warnings };
}

/** Refused, or overwritten with a warning where the config takes the federation over. */
function judgeFederation({ config, spireServer, trust, route }: Before, peers: readonly Peer[]): Judged {
  const listed = config.federatesWith === "dynamic" ? [] : peers;
  const asked = federationSpec(renderBundleEndpoint(bundleEndpoint(config), route.host), listed, route.managedRoute);
  const foreign = foreignFederation(asked, spireServer, trust);
  if (foreign.length === 0) return { problems: [], warnings: [] };
  const found = describeForeign(foreign);
  if (config.takesOverFederation) {
    return { problems: [], warnings: [`spireServer.takeOver has federation, so this is overwritten: ${found}.`] };
  }
  const next = config.spireServer?.takeOver.length ?? 0;
  const isPeers = foreign.some(({ path }) => path === "federatesWith");
  const ways = [
    adoption(config),
    `overwrite it: ${setting(config)} --path 'spireServer.takeOver[${next}]' federation`,
    ...(isPeers ? [`leave the list of peers to others: ${setting(config)} federatesWith dynamic`] : []),
  ];
  return {
    problems: problem(
      "spireServer",
      ["the SpireServer has a federation of somebody else, which an up would overwrite: " + found, ...ways].join(
        "\n    ",
      ),
    ),
    warnings: [],
  };
}

const setting = ({ self }: ClusterConfig): string => `npx pulumi config set --stack ${word(self.stack)}`;

const adoption = ({ self }: ClusterConfig): string =>
  `keep it, as part of the stack: npx ${PROGRAM} adopt ${word(self.stack)}`;

/** One that says what the stack asks for is taken over as it is. */
function judgeMade(config: ClusterConfig, { key, wanted, live }: MadeObject): Problem[] {
  const foreign = foreignValues(wanted, live);
  if (foreign.length === 0) return [];
  const { kind, metadata } = wanted;
  const deletion = oc(accessOf(config), `delete ${kind.toLowerCase()} ${word(metadata.name)} -n ${OPERAND_NAMESPACE}`);
  const ways = [
    adoption(config),
    ...besideIt(config, key, kind, metadata.name),
    `delete it, if nobody needs it: ${deletion}`,
  ];
  const what = `${kind} ${metadata.name} is of somebody else, and an up would overwrite it: ${describeForeign(foreign)}`;
  return problem(key, [what, ...ways].join("\n    "));
}

/** How a stack can do with an object beside it, or use it. */
function besideIt(config: ClusterConfig, key: string, kind: string, name: string): string[] {
  const called = (...keys: string[]): string =>
    keys.map((one) => `${setting(config)} --path ${one} <name>`).join(" && ");
  switch (key) {
    case "issuer": {
      const existing = word(JSON.stringify({ type: "existing", kind, name }));
      return kind === "Issuer" ? [`use it as it is: ${setting(config)} --path issuer ${existing}`] : [];
    }
    case "names.certificate":
      // Of two Certificates with one secret cert-manager issues the older one alone.
      return [`leave it, and make another one: ${called(key, "names.secret")}`];
    default:
      return [`leave it, and make another one: ${called(key)}`];
  }
}
