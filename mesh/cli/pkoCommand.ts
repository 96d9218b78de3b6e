/** The command that prints what the Pulumi Kubernetes Operator is given. */
import { readDeployed } from "../../deploy/pko/deployed";
import { render, toYaml } from "../../deploy/pko/render";
import { EXIT, UsageError } from "../kernel/exit";
import { projectOf } from "../members/project";
import { define, duration, onOff, output, text } from "./declare";

/** The operator takes less for this. */
const SHORTEST_RESYNC = 60;

export const pkoCommand = define({
  name: "pko",
  group: "Inspect",
  args: "[stack...]",
  summary: "Print manifests for the Pulumi Kubernetes Operator",
  about:
    "Print the manifests by which the Pulumi Kubernetes Operator runs the stacks of all members, or of the named\n" +
    "ones, in a cluster and without anybody's machine. They are made from the stack files: edit those, and print\n" +
    "the manifests again. Nothing is asked of any cluster, and nothing secret is printed.",
  flags: {
    image: text("--image <image>", "Image of the workspaces, by digest or by a tag that never moves; required"),
    backend: text("--backend <url>", "Where the state is; without it, $PULUMI_BACKEND_URL, or the URL in Pulumi.yaml"),
    namespace: text("--namespace <name>", "Namespace of the Stacks; without it, spire-federation"),
    resync: duration("--resync <duration>", "After how long each member runs again, 1m at least", "5m"),
    inCluster: onOff("--in-cluster", "The operator runs in the one named member's own cluster"),
    ...output,
  },
  examples: {
    "pko --image registry.example.com/spire-federation:0.1.0 --backend s3://states":
      "For an operator that runs all members",
    "pko cluster1 --in-cluster --image registry.example.com/spire-federation:0.1.0":
      "For the operator of cluster1 itself",
  },
  exits: "0 printed; 2 wrong usage or config",
  seeAlso: "docs/pko.md",
  async run({ open }, names, { image, namespace = "spire-federation", resync, inCluster, ...flags }) {
    if (image === undefined) throw new UsageError("--image: say which image the workspaces run");
    if (resync < SHORTEST_RESYNC) throw new UsageError(`--resync: it must be 1m or more`);
    if (inCluster && names.length !== 1) {
      throw new UsageError(
        "--in-cluster: name the one member whose cluster it is; each cluster gets manifests of its own",
      );
    }
    if (flags.backend !== undefined) process.env["PULUMI_BACKEND_URL"] = flags.backend;
    const { workspace } = await open(names, "none");
    const backend = process.env["PULUMI_BACKEND_URL"] || (await projectOf(workspace)).backend?.url;
    if (backend === undefined) throw new UsageError("--backend: say where the state of all members is");
    if (backend.startsWith("file:")) {
      throw new UsageError(`--backend: "${backend}" would be another folder in each pod; use an object store`);
    }
    const members = await readDeployed(workspace, names);
    const objects = render(members, { image, backend, namespace, resync, inCluster });
    return { exit: EXIT.fine, report: { command: "pko", objects }, text: toYaml(objects) };
  },
});
