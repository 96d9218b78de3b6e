/** The commands that change clusters: up, remove, adopt, rotate and revoke. What they do is loaded when it is run. */
import { define } from "./declare";
import { adoptFlags, removeFlags, revokeFlags, rotateFlags, upFlags } from "./flags";

export const upCommand = define({
  name: "up",
  group: "Change",
  args: "[stack...]",
  summary: "Run all stacks until each member trusts its peers",
  about:
    "Run the stack of every member, or of the named ones, until each trusts its peers. Missing stacks are\n" +
    "created. A member with nothing to change does not run; it does when a peer has published something new.\n" +
    "A member that fails does not stop the others. Operations that were interrupted before are repeated.\n\n" +
    "First it previews every member, shows the plan (who will trust whom, which SPIRE servers restart, what\n" +
    "else changes) and asks. A member fails when its config, the peers it would trust or their roots are no\n" +
    "longer those of the plan, or when it would delete or replace something else. --yes skips the question,\n" +
    "never the plan; it accepts a plan that changes meanwhile. --approved takes the answer from a plan that\n" +
    "somebody has reviewed: where the plan differs from it now, nothing is run.",
  asks: true,
  flags: upFlags,
  examples: {
    up: "Show the plan for all members, ask, and run them",
    "up --yes": "In CI: do not ask",
    "up --approved plan.json": "In CI: run what the preview has shown, and nothing else",
    "up cluster1 cluster3": "Run only these two",
  },
  exits:
    "0 every member is complete; 1 a member failed or is pending; 2 wrong usage or config, not confirmed, or not the\n" +
    "approved plan; 3 unknown",
  seeAlso: "preview, verify",
  run: async (...given) => (await import("./changeCommands")).runUp(...given),
});

export const removeCommand = define({
  name: "remove",
  group: "Change",
  args: "<stack>",
  summary: "Remove a member, until no other member trusts it",
  about:
    "Remove a member from the mesh: delete it from the peers in the other stack files, run the stacks so that\n" +
    "it and the others stop trusting each other, and delete the bundles from the SPIRE servers. A member is\n" +
    "clean when its SPIRE server, asked again, holds none of them. Run an interrupted removal again.\n\n" +
    "A peer without a stack file here is named as in peers, or by its trust domain. Once peers no longer names it,\n" +
    "only its trust domain finds what SPIRE servers still hold.\n\n" +
    "It runs pulumi up only for what the removal needs. Where a stack has other pending changes, it shows them\n" +
    "and asks; with --yes it refuses, unless --apply-pending is given.",
  asks: true,
  flags: removeFlags,
  examples: {
    "remove cluster3": "Show the plan, and ask",
    "remove cluster3 --destroy --yes": "In CI: do not ask, and also destroy the stack of cluster3",
    "remove partner.example.org": "End trust in a peer that has no stack file here",
  },
  exits:
    "0 no member trusts it; 1 a member still does, or failed; 2 wrong usage or config, or not confirmed; 3 unknown",
  seeAlso: "status, drift",
  run: async (...given) => (await import("./changeCommands")).runRemove(...given),
});

export const adoptCommand = define({
  name: "adopt",
  group: "Change",
  args: "<stack...>",
  summary: "Take over clusters that were federated by hand",
  about:
    "Take over clusters that were federated by hand, by YAML in Git or by another tool. It reads each cluster,\n" +
    "writes Pulumi.<stack>.yaml with what it has found, and lists what the stack will own, what it leaves alone\n" +
    "and what it cannot take over as it is. Then it asks, and runs the stacks.\n\n" +
    "The objects stay the same ones: they get annotations, and the bundles in ClusterFederatedTrustDomains are\n" +
    "fetched again. Where an up would change anything else that is there, nothing is taken over. No SPIRE server\n" +
    "restarts. What a file says already stays. No secret is read or written.",
  asks: true,
  flags: adoptFlags,
  examples: {
    "adopt cluster1 --context admin": "Take over the cluster that context admin leads to",
    "adopt cluster1 cluster2": "Take over two clusters that trust each other, as two members",
  },
  exits:
    "0 taken over, and a preview shows no changes; 1 not taken over, or a peer is still to be adopted;\n" +
    "2 wrong usage or config, or not confirmed; 3 unknown",
  seeAlso: "preview, verify, docs/adopt.md",
  run: async (...given) => (await import("./adoptCommand")).runAdopt(...given),
});

export const rotateCommand = define({
  name: "rotate",
  group: "Change",
  args: "<stack...>",
  summary: "Replace the keys of a trust domain, and nobody loses trust",
  about:
    "Replace the keys that a member's SPIRE server signs with. A new key is prepared, and used once the SPIRE server\n" +
    "of every member that trusts it holds it; the old one is tainted, so that agents renew what it signed, then\n" +
    "revoked, until no member holds it. A member that lags is named, and waited for. A rotation that was begun, by\n" +
    "this command or by SPIRE itself, is finished rather than begun again.\n\n" +
    "It keeps no notes: run it again after an interruption, and it goes on from what the servers say. Peers that are\n" +
    "no members cannot be asked; they have five refresh hints to fetch a new key. Below an upstream CA the X.509\n" +
    "root is that CA's, and only JWT keys are replaced.",
  asks: true,
  flags: rotateFlags,
  examples: {
    "rotate cluster1": "Show the plan for both kinds of keys, and ask",
    "rotate cluster1 --keys jwt --yes": "Replace the JWT key; do not ask",
    "rotate cluster1 cluster2 --yes": "One cluster after the other",
  },
  exits:
    "0 nobody holds the old keys; 1 it waits for somebody, or cannot go on; 2 wrong usage or config, or not confirmed;\n" +
    "3 unknown",
  seeAlso: "revoke, verify",
  run: async (...given) => (await import("./rotateCommand")).runRotate(...given),
});

export const revokeCommand = define({
  name: "revoke",
  group: "Change",
  args: "<stack>",
  summary: "Take one key of a trust domain out of use, such as one that has leaked",
  about:
    "Take a key out of use that has leaked, in the order that breaks least: as rotate does it, for this key alone. A\n" +
    "taint is seen by the trust domain's own agents only; peers trust a key until it is revoked and they have fetched\n" +
    "the bundle, which this command has its members do at once. Connections that are open stay open.\n\n" +
    "Without --key it lists the keys that there are. It also goes on with a rotation: the key is the one that was to go.",
  asks: true,
  flags: revokeFlags,
  examples: {
    "revoke cluster1 --key 3f9a12c4d5": "Show what it means, and ask",
    "revoke cluster1 --key 3f9a12c4d5 --yes": "Do not ask",
  },
  exits:
    "0 nobody holds the key; 1 it waits for somebody, or cannot go on; 2 wrong usage or config, no such key, or not\n" +
    "confirmed; 3 unknown",
  seeAlso: "rotate, verify",
  run: async (...given) => (await import("./rotateCommand")).runRevoke(...given),
});
