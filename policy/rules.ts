/** All rules, in the order of the procedure. */
import { certificateForServers, renewedBeforeItsEnd } from "./certificate";
import { noSecretsInOutputs } from "./outputs";
import type { Rule } from "./rule";
import { onlyTheRouterReads, roleNamesOneSecret, secretsNotClusterWide } from "./secretAccess";
import { federationStays } from "./spireServer";
import { classOfTheOperator, endpointIsHttps, noSelfFederation, onePeerPerTrustDomain } from "./trust";

export const RULES: readonly Rule[] = [
  certificateForServers,
  renewedBeforeItsEnd,
  secretsNotClusterWide,
  roleNamesOneSecret,
  onlyTheRouterReads,
  federationStays,
  endpointIsHttps,
  classOfTheOperator,
  noSelfFederation,
  onePeerPerTrustDomain,
  noSecretsInOutputs,
];
