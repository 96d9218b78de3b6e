/** The commands that judge the mesh from outside: verify and precheck. What they do is loaded when it is run. */
import { define } from "./declare";
import { judging, verifyFlags } from "./flags";

const EXITS = "0 all passed; 1 a check failed or is pending; 2 wrong usage or config; 3 something could not be checked";
const FORMS =
  "text has a row per member, and a block for each cause of what is not well. wide has a line for each check, html is\n" +
  "a page for a browser, junit is for the test reports of CI systems.";

export const verifyCommand = define({
  name: "verify",
  group: "Verify",
  args: "[stack...]",
  summary: "Check from outside that every member and every pair works",
  about:
    "Check every member, and every ordered pair of members, from outside: the Kubernetes objects, the bundle\n" +
    "endpoint over TLS, the SPIRE server and its log. Changes nothing, except with --probe.\n\n" +
    `${FORMS} prometheus is for the\ntextfile collector of Prometheus' node exporter: docs/monitoring.md.\n\n` +
    "--peer and --check leave out all else, also for the exit code, which is 3 when no check is left. Checks that\n" +
    "cannot run from this machine by design do not affect the exit code, such as reaching the endpoint of a stack\n" +
    "with probe: cluster. What cannot be read for any other reason is unknown.",
  flags: verifyFlags,
  examples: {
    verify: "Check all members once",
    "verify --timeout 10m -o json > verify.json": "In CI, after an up: wait until the mesh is healthy",
    "verify -o html > report.html": "A page to mail, print and keep",
    "verify -o prometheus > spire_federation.prom": "Metrics that SPIRE itself does not have",
    "verify cluster1 cluster2 --probe": "Prove a connection between workloads of two clusters",
    "verify --peer cluster2 --check MESH211,MESH212": "Check only whether all members hold the keys of cluster2",
  },
  exits: EXITS,
  seeAlso: "explain, precheck, docs/checks.md",
  run: async (...given) => (await import("./verifyCommands")).runVerify(...given),
});

export const precheckCommand = define({
  name: "precheck",
  group: "Verify",
  args: "[stack...]",
  summary: "Check what must hold before the first up",
  about:
    "Check what must hold before the first up, also of clusters that were federated by hand: the API server, what an\n" +
    `up would refuse, and the name of the endpoint. Changes nothing.\n\n${FORMS}`,
  flags: judging,
  examples: {
    precheck: "Check all members",
    "precheck cluster3 -o json": "Check one of them, for a program",
  },
  exits: EXITS,
  seeAlso: "verify, docs/start.md",
  run: async (...given) => (await import("./verifyCommands")).runPrecheck(...given),
});
