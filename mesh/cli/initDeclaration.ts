/** The command that comes before all others. What it does is loaded when it is run. */
import { define } from "./declare";
import { initFlags } from "./flags";

export const initCommand = define({
  name: "init",
  group: "Begin",
  args: "[context...]",
  summary: "Find the clusters of a kubeconfig and write their stack files",
  about:
    "Look at the clusters of a kubeconfig, or at the named contexts, and write a file Pulumi.<stack>.yaml for each\n" +
    "that has ZTWIM and is no member yet. Trust domain, endpoint and issuer are read where a cluster has them; what\n" +
    "no cluster says is asked. In a folder without a project it writes Pulumi.yaml and index.js as well, where the\n" +
    "package is installed. Members that are there get the new ones as peers.\n\n" +
    "It shows the files and asks before it writes them. No cluster is changed, and of a file that is there only the\n" +
    "list of peers. A cluster that cannot be read, or that is federated already, is named and left out. A stack is\n" +
    "called like its context, or like its cluster where that is no name; <stack>=<context> says another name.",
  asks: true,
  flags: initFlags,
  lacks: ({ issuer, profile, email, acceptTos }) => [
    ...(issuer === undefined && profile !== "https_spiffe" ? ["--issuer"] : []),
    ...(issuer === "spire" && email === undefined ? ["--email"] : []),
    ...(issuer === "spire" && acceptTos !== true ? ["--accept-tos"] : []),
  ],
  examples: {
    init: "Look at all contexts, ask, and write the files",
    "init east=admin-east west=admin-west": "Two contexts, and what their stacks are called",
    "init --kubeconfig east/kubeconfig,west/kubeconfig":
      "A kubeconfig for each cluster, as OpenShift's installer leaves them",
    "init --yes --issuer acme --email spire@example.com": "In scripts: do not ask",
    "init --pair hub:east,hub:west": "Only these trust each other",
  },
  exits:
    "0 the files are there; 1 a cluster was left out, or none was found; 2 wrong usage, or not confirmed: nothing was\n" +
    "written; 3 a cluster could not be read. With 1 and 3 the files of the other clusters are written",
  seeAlso: "up, adopt, docs/start.md",
  run: async (...given) => (await import("./initCommand")).runInit(...given),
});
