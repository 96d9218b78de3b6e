/** Commands that read stacks and clusters and change nothing: preview, status, drift and contract. */
import type { ClusterAccess } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { contracts } from "../contract/contracts";
import { FORMS, printContracts, printForm } from "../contract/contractText";
import { drift, driftExit, printDrift } from "../drift/drift";
import { EXIT, type ExitCode } from "../kernel/exit";
import { changes, isIncomplete, preview, type PreviewMember, printPreview } from "../preview/preview";
import { endpointBundle } from "../spire/endpointBundle";
import { spireServer } from "../spire/spireServer";
import { printStatus, status, statusExit } from "../status/status";
import { apiServer } from "../verify/apiServer";
import { presentedAt } from "../verify/presented";
import { define, onOff, oneOf, output, parallel, policyPack } from "./declare";

export const previewCommand = define({
  name: "preview",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show what up would change, trust first",
  about:
    "Show what up would change: whom each member will trust or stop trusting, and with which roots, which\n" +
    "SPIRE servers restart, then the resources. Changes nothing.",
  flags: {
    expectNoChanges: onOff("--expect-no-changes", "Exit 1 when something would change"),
    policyPack: policyPack(),
    parallel: parallel(),
    ...output,
  },
  examples: {
    preview: "Show what an up of all members would change",
    "preview cluster1 --expect-no-changes": "In CI: fail when cluster1 is not as its config says",
    "preview --policy-pack dist/policy": "Also refuse what docs/policy.md lists",
  },
  exits:
    "0 shown; 1 a member cannot be previewed, or a change with --expect-no-changes; 2 wrong usage or config;\n" +
    "3 something could not be read",
  seeAlso: "up, drift",
  async run({ open }, names, flags) {
    const { members, stacks } = await open(names);
    const result = await preview(members, stacks.judgedBy(flags.policyPack), flags.parallel);
    const failed = result.some(({ errors }) => errors.length > 0);
    const found = failed || (flags.expectNoChanges && result.some(changes));
    return {
      exit: found ? EXIT.findings : exitOfUnread(result),
      report: { command: "preview", members: result },
      text: printPreview(result),
    };
  },
});

export const statusCommand = define({
  name: "status",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show who trusts whom and who is pending; no cluster is asked",
  about: "Show what the members' stacks have published: whom each trusts, and for whom it waits. No cluster is asked.",
  flags: { parallel: parallel(), ...output },
  examples: {
    status: "Show all members",
    "status -o json": "The same for a program",
  },
  exits:
    "0 everybody trusts whom the config names, and is trusted back; 1 somebody is pending, leaving or not trusted back; 2 wrong usage or config; 3 unknown",
  seeAlso: "verify",
  async run({ open }, names, flags) {
    const { members, stacks } = await open(names);
    const result = await status(members, stacks, flags.parallel);
    return { exit: statusExit(result), report: { command: "status", members: result }, text: printStatus(result) };
  },
});

export const driftCommand = define({
  name: "drift",
  group: "Inspect",
  args: "[stack...]",
  summary: "Show what differs from the stacks in the clusters and their SPIRE servers",
  about:
    "Show what somebody has changed in the clusters and their SPIRE servers, and what is there that no stack\n" +
    "declares. Changes nothing: the right to read is enough.",
  flags: { parallel: parallel(), ...output },
  examples: {
    drift: "Look at all members",
    "drift cluster1 -o json > drift.json": "Every night in CI",
  },
  exits: "0 nothing found; 1 findings; 2 wrong usage or config; 3 something could not be read",
  seeAlso: "preview, verify",
  async run({ open }, names, flags) {
    const { members, withPeers, stacks, interruption } = await open(names);
    const clusters = {
      cluster: (access: ClusterAccess) => ({
        reader: connect(access, interruption.signal),
        server: spireServer(access, interruption.signal),
        log: () => apiServer(access, interruption.signal).serverLog(),
      }),
      endpoint: endpointBundle,
    };
    const result = await drift(members, (await withPeers()).members, stacks, clusters, flags.parallel);
    return { exit: driftExit(result), report: { command: "drift", members: result }, text: printDrift(result) };
  },
});

export const contractCommand = define({
  name: "contract",
  group: "Inspect",
  args: "[stack...]",
  summary: "Print what others need to trust a member",
  about:
    "Print what the owner of another trust domain needs to trust a member: its trust domain, its bundle endpoint\n" +
    "and the fingerprints of its roots; with https_spiffe also its bundle. Nothing in it is secret. What the stack\n" +
    "has published is taken, and its endpoint is asked over verified TLS.",
  flags: {
    output: oneOf(
      "-o, --output <format>",
      "One form alone; docs/outside-peers.md says for whom each is; json: for programs",
      [...FORMS, "json"],
    ),
    json: output.json,
    parallel: parallel(),
  },
  examples: {
    "contract cluster1": "Show every form",
    "contract cluster1 -o server.conf": "For somebody who runs SPIRE without OpenShift",
  },
  exits: "0 printed; 2 wrong usage or config; 3 a member has published nothing, or its roots are not known",
  seeAlso: "docs/outside-peers.md",
  async run({ open }, names, flags) {
    const { members, stacks } = await open(names);
    const world = {
      published: (id: string) => stacks.published(id),
      endpoint: presentedAt,
      now: () => new Date(),
    };
    const result = await contracts(members, world, flags.parallel);
    const { output: form } = flags;
    const isKnown = result.every((one) => !("because" in one) && one.rootsUnknown === undefined);
    return {
      exit: isKnown ? EXIT.fine : EXIT.unknown,
      report: { command: "contract", members: result },
      text: form === undefined || form === "json" ? printContracts(result) : printForm(result, form),
    };
  },
});

const exitOfUnread = (members: readonly PreviewMember[]): ExitCode =>
  members.some(isIncomplete) ? EXIT.unknown : EXIT.fine;
