/** The commands that read stacks and clusters: preview, status, config, drift, peer-info and alerts. What they do is loaded when it is run. */
import { define } from "./declare";
import { alertsFlags, configFlags, driftFlags, peerInfoFlags, previewFlags, statusFlags } from "./flags";

export const previewCommand = define({
  name: "preview",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show what up would change, trust first",
  about:
    "Show the plan of up: whom each member will trust or stop trusting, and with which keys, which SPIRE servers\n" +
    "restart, then the resources. Changes nothing.",
  flags: previewFlags,
  examples: {
    preview: "Show what an up of all members would change",
    "preview cluster1 --expect-no-changes": "In CI: fail when cluster1 is not as its config says",
    "preview -o json > plan.json": "For up --approved plan.json, which then does nothing else",
    "preview --policy-pack dist/policy": "Also refuse what docs/policy.md lists",
  },
  exits:
    "0 shown; 1 a member cannot be previewed, or a change with --expect-no-changes; 2 wrong usage or config;\n" +
    "3 something could not be read",
  seeAlso: "up, drift",
  run: async (...given) => (await import("./inspectCommands")).runPreview(...given),
});

export const statusCommand = define({
  name: "status",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show who trusts whom and who is pending; no cluster is asked",
  about: "Show what the members' stacks have published: whom each trusts, and for whom it waits. No cluster is asked.",
  flags: statusFlags,
  examples: {
    status: "Show all members",
    "status -o json": "The same for a program",
  },
  exits:
    "0 all configured trust is in place in both directions; 1 a member is pending, leaving or not trusted back;\n" +
    "2 wrong usage or config; 3 unknown",
  seeAlso: "verify",
  run: async (...given) => (await import("./inspectCommands")).runStatus(...given),
});

export const configCommand = define({
  name: "config",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show the config of a member, and from where each value is",
  about:
    "Show what holds for each member, key by key, and whose word it is: Pulumi.<stack>.yaml, an imported\n" +
    "environment, Pulumi.yaml, the kubeconfig, or this program's default. Secrets are not shown, and no cluster is\n" +
    "asked. Below the keys is all that is wrong with them.",
  flags: configFlags,
  examples: {
    "config cluster1": "Show the config of one member",
    "config -o json": "Of all members, for a program",
  },
  exits: "0 shown; 2 wrong usage or config; 3 the project cannot be opened",
  seeAlso: "docs/config.md",
  run: async (context, names) => (await import("./inspectCommands")).runConfig(context, names),
});

export const driftCommand = define({
  name: "drift",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show what differs from the stacks in the clusters and their SPIRE servers",
  about:
    "Show what somebody has changed in the clusters and their SPIRE servers, and what is there that no stack\n" +
    "declares. Changes nothing: the right to read is enough.",
  flags: driftFlags,
  examples: {
    drift: "Look at all members",
    "drift cluster1 -o json > drift.json": "Every night in CI",
  },
  exits: "0 nothing found; 1 findings; 2 wrong usage or config; 3 something could not be read",
  seeAlso: "preview, verify",
  run: async (...given) => (await import("./inspectCommands")).runDrift(...given),
});

export const peerInfoCommand = define({
  name: "peer-info",
  group: "Inspect",
  args: "[stack...]",
  summary: "Print what others need to trust a member",
  about:
    "Print what the owner of another trust domain needs to trust a member: its trust domain, its bundle endpoint\n" +
    "and the fingerprints of its roots; with https_spiffe also its bundle. Nothing in it is secret. Reads the\n" +
    "stack's outputs, and fetches the bundle over verified TLS. docs/outside-peers.md says for whom each form is.",
  flags: peerInfoFlags,
  examples: {
    "peer-info cluster1": "Show every form",
    "peer-info cluster1 -o server.conf": "For somebody who runs SPIRE without OpenShift",
  },
  exits: "0 printed; 2 wrong usage or config; 3 a member has published nothing, or its roots are not known",
  seeAlso: "docs/outside-peers.md",
  run: async (...given) => (await import("./inspectCommands")).runPeerInfo(...given),
});

export const alertsCommand = define({
  name: "alerts",
  group: "Inspect",
  args: "<stack>",
  summary: "Print a ServiceMonitor and alert rules for a member's SPIRE server",
  about:
    "Print what Prometheus needs to watch the SPIRE server of a member, for oc apply: a ServiceMonitor, and rules\n" +
    "for each peer that it trusts, with thresholds from the lifetimes of its keys and the peers' refresh hints.\n" +
    "Each alert names a check and the command to run. Print them again after a peer has come or gone. Two peers\n" +
    "that SPIRE's metrics call by one name are refused. On stderr it says which of OpenShift's Prometheus reads\n" +
    "them, which a label of the namespace decides. docs/monitoring.md says more.",
  flags: alertsFlags,
  examples: {
    "alerts cluster1 > alerts.yaml": "For oc apply -f alerts.yaml, or for Git",
    "alerts cluster1 -o json": "The rules for a program",
  },
  exits: "0 printed; 2 wrong usage or config, or peers that cannot be told apart; 3 stack or cluster could not be read",
  seeAlso: "verify, docs/monitoring.md",
  run: async (context, names) => (await import("./alertsCommand")).runAlerts(context, names),
});
