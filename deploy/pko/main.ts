#!/usr/bin/env node
/** Prints what the Pulumi Kubernetes Operator is given: `npm run pko`, or `node <package>/dist/deploy/pko/main.js`. */
import { parseArgs } from "node:util";
import { parseDuration } from "../../components/shared/duration";
import { EXIT, UsageError } from "../../mesh/kernel/exit";
import { projectOf } from "../../mesh/members/project";
import { openProject } from "../../mesh/pulumi/workspace";
import { readDeployed } from "./deployed";
import { render, toYaml } from "./render";

const HELP = `Print the manifests by which the Pulumi Kubernetes Operator runs the stacks of all members, or of the named ones,
inside a cluster, not from a workstation. They are made from the stack files in the current folder: edit those, and
print the manifests again. No cluster is read, and nothing secret is printed. See docs/pko.md.

Usage: npm run pko --silent -- [stack...] --image <image> [flags]

Flags:
  --image <image>      Image of the workspaces, by digest or by a tag that never moves; required
  --backend <url>      Where the state is (default $PULUMI_BACKEND_URL, or the URL in Pulumi.yaml)
  --namespace <name>   Namespace of the Stacks (default spire-federation)
  --resync <duration>  After how long each member runs again, 1m at least (default 5m)
  --in-cluster         The operator runs in the one named member's own cluster
  --metrics            With Deployment metrics on the hub, which serves what 'verify -o prometheus' prints (docs/monitoring.md)
  -h, --help           Show help
`;

/** The operator takes less for this, in seconds. */
const SHORTEST_RESYNC = 60;

/** @throws UsageError */
async function manifests(args: readonly string[]): Promise<string> {
  const { values, positionals: names } = readArguments(args);
  const { image, namespace, metrics, "in-cluster": inCluster } = values;
  if (values.help) return HELP;
  if (image === undefined) throw new UsageError("--image: say which image the workspaces run");
  const resync = parseDuration(values.resync) ?? 0;
  if (resync < SHORTEST_RESYNC) throw new UsageError("--resync: it must be a duration of 1m or more, such as 5m");
  if (inCluster && names.length !== 1) {
    throw new UsageError(
      "--in-cluster: name the one member whose cluster it is; each cluster gets manifests of its own",
    );
  }
  if (metrics && (inCluster || names.length > 0)) {
    throw new UsageError("--metrics: it is of all members, on a hub; name no stack, and leave out --in-cluster");
  }
  if (values.backend !== undefined) process.env["PULUMI_BACKEND_URL"] = values.backend;
  const workspace = await openProject(".");
  const backend = process.env["PULUMI_BACKEND_URL"] || (await projectOf(workspace)).backend?.url;
  if (backend === undefined) throw new UsageError("--backend: say where the state of all members is");
  if (backend.startsWith("file:")) {
    throw new UsageError(`--backend: "${backend}" would be another folder in each pod; use an object store`);
  }
  const members = await readDeployed(workspace, names);
  const led = members.find((one) => one.namesKubeconfig || one.context === undefined);
  if (metrics && led !== undefined) {
    throw new UsageError(`--metrics: ${led.stacks[0].id}: its stack file has to name a context, and no kubeconfig`);
  }
  return toYaml(render(members, { image, backend, namespace, resync, inCluster, metrics }));
}

function readArguments(args: readonly string[]) {
  const options = {
    image: { type: "string" },
    backend: { type: "string" },
    namespace: { type: "string", default: "spire-federation" },
    resync: { type: "string", default: "5m" },
    "in-cluster": { type: "boolean", default: false },
    metrics: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

manifests(process.argv.slice(2)).then(
  (text) => process.stdout.write(text),
  (error: unknown) => {
    process.stderr.write(`pko: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.unknown;
  },
);
