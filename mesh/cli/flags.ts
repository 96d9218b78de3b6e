/** The flags of each command, and the types of their values. */
import { FORMS } from "../contract/forms";
import {
  duration,
  durationIfGiven,
  oneOf,
  onOff,
  output,
  outputs,
  parallel,
  policyPack,
  requestTimeout,
  text,
  texts,
  type Values,
} from "./declare";

export const initFlags = {
  kubeconfig: texts(
    "--kubeconfig <file>",
    "Kubeconfig to look at; repeat it or separate with commas (default: $KUBECONFIG or ~/.kube/config)",
  ),
  issuer: text(
    "--issuer <issuer>",
    "Issuer of the endpoints: acme, ca, self-signed, router, secret, spire, [Cluster]Issuer/<name>",
  ),
  email: text("--email <address>", "E-mail address of the ACME account, with acme and spire"),
  acmeServer: text("--acme-server <url>", "ACME directory, with acme and spire (default: that of Let's Encrypt)"),
  acceptTos: onOff("--accept-tos", "With spire: you have read and accept the terms of service of the ACME server's CA"),
  profile: oneOf("--profile <profile>", "How new bundle endpoints prove who they are", ["https_web", "https_spiffe"]),
  pair: texts(
    "--pair <stack:stack>",
    "Two stacks that trust each other; repeat it or separate with commas (default: all trust all)",
  ),
  parallel: parallel(),
  requestTimeout: requestTimeout(),
  ...output,
};
export type InitFlags = Values<typeof initFlags> & { yes: boolean };

export const upFlags = {
  parallel: parallel(),
  policyPack: policyPack(),
  approved: text(
    "--approved <file>",
    "Run if the plan is still the one in this file, of preview -o json; do not ask",
  ).conflicts("yes"),
  secretsProvider: text("--secrets-provider <url>", "Secrets provider of the stacks that this creates"),
  ...output,
};
export type UpFlags = Values<typeof upFlags> & { yes: boolean };

export const removeFlags = {
  destroy: onOff("--destroy", "Also destroy the stack of the removed member"),
  applyPending: onOff("--apply-pending", "Also apply changes of these stacks that are not part of the removal"),
  parallel: parallel(),
  ...output,
};
export type RemoveFlags = Values<typeof removeFlags> & { yes: boolean };

/** How long rotate and revoke wait: an agent that is away keeps its SVID for an hour. */
const patience = {
  timeout: duration("--timeout <duration>", "How long to wait without progress", "1h"),
  ...output,
};

export const rotateFlags = {
  keys: oneOf("--keys <kind>", "Replace only these; without it, both", ["x509", "jwt"]),
  ...patience,
};
export type RotateFlags = Values<typeof rotateFlags> & { yes: boolean };

export const revokeFlags = {
  key: text("--key <id>", "The key: subject key id of an X.509 authority, or kid of a JWT authority"),
  ...patience,
};
export type RevokeFlags = Values<typeof revokeFlags> & { yes: boolean };

export const adoptFlags = {
  context: text("--context <name>", "Context of the kubeconfig; without it, that of the file, or the stack's name"),
  kubeconfig: text("--kubeconfig <file>", "Kubeconfig that leads to the cluster, for the stack's file, too"),
  secretsProvider: text("--secrets-provider <url>", "Secrets provider of the stacks that this creates"),
  parallel: parallel(),
  ...output,
};
export type AdoptFlags = Values<typeof adoptFlags> & { yes: boolean };

export const previewFlags = {
  expectNoChanges: onOff("--expect-no-changes", "Exit 1 when something would change"),
  savePlan: text("--save-plan <file>", "Also write what -o json prints to this file, for up --approved"),
  policyPack: policyPack(),
  parallel: parallel(),
  ...output,
};
export type PreviewFlags = Values<typeof previewFlags> & { yes: boolean };

export const statusFlags = { parallel: parallel(), ...output };
export type StatusFlags = Values<typeof statusFlags> & { yes: boolean };

export const driftFlags = { parallel: parallel(), requestTimeout: requestTimeout(), ...output };
export type DriftFlags = Values<typeof driftFlags> & { yes: boolean };

export const configFlags = { ...output };

export const alertsFlags = { ...output };

export const peerInfoFlags = {
  ...outputs(...FORMS),
  parallel: parallel(),
};
export type PeerInfoFlags = Values<typeof peerInfoFlags> & { yes: boolean };

export const judging = {
  notes: onOff("--notes", "Also show what is worth knowing and nobody can change"),
  check: texts("--check <code>", "Show only this check; repeat it or separate with commas"),
  parallel: parallel(),
  requestTimeout: requestTimeout(),
  ...outputs("wide", "html", "junit"),
};

export const verifyFlags = {
  wait: onOff("--wait", "Repeat until every check passes or --timeout expires"),
  timeout: duration("--timeout <duration>", "How long --wait repeats", "5m").implies({ wait: true }),
  interval: durationIfGiven("--interval <duration>", "Pause between two looks: 10s with --wait, 30s with --watch"),
  watch: onOff("--watch", "Redraw until Ctrl-C; needs a terminal").conflicts(["output", "wait", "probe"]),
  probe: onOff("--probe", "Also create a workload in each cluster and connect all pairs over mTLS"),
  probeImage: text("--probe-image <image>", "Image for --probe, with Node 20 or later").implies({ probe: true }),
  peer: texts("--peer <stack>", "Show only pairs with this peer; repeat it or separate with commas"),
  ...judging,
  ...outputs("wide", "html", "junit", "prometheus"),
};
export type VerifyFlags = Values<typeof verifyFlags>;
export type PrecheckFlags = Values<typeof judging>;
