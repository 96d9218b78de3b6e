/** All checks, in the order in which they are asked and shown. */
import type { Check } from "../check";
import { certificateChecks } from "./certificateChecks";
import { clusterChecks } from "./clusterChecks";
import { endpointChecks } from "./endpointChecks";
import { foreignChecks } from "./foreignChecks";
import { operandChecks } from "./operandChecks";
import { operatorChecks, serverChecks } from "./serverChecks";
import { pollChecks } from "./pollChecks";
import { sharedRootChecks } from "./sharedRootChecks";
import { trustChecks } from "./trustChecks";
import type { MemberView, PairView } from "../subjects";
import { grantChecks, releaseChecks } from "./ztwimChecks";

export const memberChecks: readonly Check<MemberView>[] = [
  ...clusterChecks,
  ...releaseChecks,
  ...certificateChecks,
  ...grantChecks,
  ...serverChecks,
  ...operandChecks,
  ...endpointChecks,
  ...operatorChecks,
  ...foreignChecks,
  ...sharedRootChecks,
];

export const pairChecks: readonly Check<PairView>[] = [...trustChecks, ...pollChecks];
