/** What a job of a pipeline sees: a checkout of a project, and an API that has the comments of a change. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TinyProject } from "./tinyProject";

const ROOT = join(__dirname, "..", "..");

/** What each job may do. */
export const ACCESS: [job: string, access: "read" | "verify" | "write"][] = [
  ["preview", "read"], // it runs what somebody asks to merge
  ["up", "write"],
  ["verify", "verify"], // it asks the SPIRE servers themselves
  ["nightly", "verify"],
];

/** A stack with a peer, and what a pipeline has around it. */
export class Checkout {
  private constructor(
    readonly project: TinyProject,
    readonly api: CommentsApi,
    /** Where jobs leave what they keep. */
    readonly results: string,
  ) {}

  static async make(): Promise<Checkout> {
    const project = await TinyProject.inFolder();
    await project.write("cluster1", "apps.cluster1.example.com");
    // As npm installs the package. In the folder above, since the project's own node_modules is a link.
    await program(
      join(project.dir, "node_modules", ".bin"),
      "spire-federation",
      `exec ${ROOT}/dist/mesh/cli/start.js "$@"`,
    );
    // It would empty the folder that node_modules is a link to.
    await program(join(project.dir, "bin"), "npm", `echo "npm $*" >>"${project.dir}/npm"`);
    const results = await mkdtemp(join(tmpdir(), "results-"));
    return new Checkout(project, await CommentsApi.start(), results);
  }

  /** Of the runner; with a cluster that nobody can reach. */
  get env(): NodeJS.ProcessEnv {
    return { ...this.project.env, PATH: `${join(this.project.dir, "bin")}:${process.env["PATH"] ?? ""}` };
  }

  /** Prints a kubeconfig, as a command that asks a store of secrets would. */
  get printKubeconfig(): string {
    const cluster = { server: "https://127.0.0.1:1" };
    const kubeconfig = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "cluster1", context: { cluster: "c", user: "u" } }],
      "current-context": "cluster1",
      preferences: { access: "$ACCESS" },
    };
    return `echo ${JSON.stringify(JSON.stringify(kubeconfig)).replace("\\\\$", "$")}`;
  }

  /** What was asked of npm. */
  npm(): Promise<string> {
    return readFile(join(this.project.dir, "npm"), "utf8");
  }

  /** A file that a job has kept. */
  result(file: string, folder = this.results): Promise<string> {
    return readFile(join(folder, file), "utf8");
  }

  async close(): Promise<void> {
    await this.api.close();
    await rm(this.results, { recursive: true, force: true });
    await this.project.close();
  }
}

async function program(folder: string, name: string, script: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/bash\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

/** With its author as GitHub has him, and as GitLab has him. */
interface Comment {
  id: number;
  body: string;
  user: { login: string };
  author: { id: number };
}

/** Who writes here. */
const SELF = { user: { login: "github-actions[bot]" }, author: { id: 4 } };

/** GitHub's and GitLab's API as far as a comment needs it: they differ in names only. */
export class CommentsApi {
  readonly comments: Comment[] = [
    // Whoever writes into a pull request can begin like that.
    { id: 6, body: "## spire-federation preview", user: { login: "somebody" }, author: { id: 3 } },
  ];
  /** Of every request: method, path and what proves who asks. */
  readonly requests: string[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const proof = request.headers.authorization ?? request.headers["private-token"];
      this.requests.push(`${request.method ?? ""} ${request.url ?? ""} ${String(proof)}`);
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const text = Buffer.concat(parts).toString();
        if (request.method !== "GET") this.write(request.url ?? "", bodyIn(text));
        response.end(JSON.stringify(request.url?.endsWith("/user") === true ? SELF.author : this.comments));
      });
    });
  }

  static async start(): Promise<CommentsApi> {
    const api = new CommentsApi();
    api.server.listen(0, "127.0.0.1");
    await once(api.server, "listening");
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.server.close();
    await once(this.server, "close");
  }

  /** A path that ends in a number is that comment's. */
  private write(path: string, body: string): void {
    const comment = this.comments.find(({ id }) => path.endsWith(`/${String(id)}`));
    if (comment === undefined) this.comments.push({ id: this.comments.length + 6, body, ...SELF });
    else comment.body = body;
  }
}

const bodyIn = (text: string): string =>
  text.startsWith("{") ? (JSON.parse(text) as { body: string }).body : (new URLSearchParams(text).get("body") ?? "");

/** Builds or installs a program that only these tests need, and gives its path. */
export const tool = (name: "gitlab" | "promtool"): string =>
  execFileSync(join(ROOT, "test", name, "build"), { encoding: "utf8" }).trim();

/** A CLI and a plugin to download, and the `pulumi.sha256` of a project that wants these. */
export async function recordDownloads(dir: string): Promise<string> {
  const lines: string[] = [];
  for (const [archive, program] of [
    ["pulumi-v9.8.7-linux-x64.tar.gz", "pulumi/pulumi"],
    ["pulumi-resource-command-v1.2.3-linux-amd64.tar.gz", "pulumi-resource-command"],
  ] as const) {
    await mkdir(join(dir, "downloads", "pulumi"), { recursive: true });
    await writeFile(join(dir, "downloads", program), "a program\n");
    execFileSync("tar", ["-czf", archive, program], { cwd: join(dir, "downloads") });
    const sum = createHash("sha256")
      .update(await readFile(join(dir, "downloads", archive)))
      .digest("hex");
    lines.push(`${sum}  file://${dir}/downloads/${archive}`);
  }
  return lines.join("\n"); // as an editor may leave it, without a line end
}

/** What the examples ask of Vault, and of GitHub for the job's identity. */
export class Vault {
  readonly requests: string[] = [];
  private readonly server: Server;

  private constructor() {
    const secret = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key==", PULUMI_CONFIG_PASSPHRASE: "a b" };
    this.server = createServer((request, response) => {
      let sent = "";
      request.on("data", (part: Buffer) => (sent += part.toString()));
      request.on("end", () => {
        const proof = request.headers["x-vault-token"] ?? sent;
        this.requests.push(`${request.method ?? ""} ${request.url ?? ""} ${String(proof)}`.trim());
        const answers: [path: string, answer: object][] = [
          ["/token", { value: "of-the-job" }],
          ["/v1/auth/jwt/login", { auth: { client_token: "of-vault" } }],
          ["/v1/secret/data/", { data: { data: { ...secret, kubeconfig: "a kubeconfig" } } }],
        ];
        response.end(JSON.stringify(answers.find(([path]) => request.url?.startsWith(path))?.[1]));
      });
    });
  }

  static async start(): Promise<Vault> {
    const vault = new Vault();
    vault.server.listen(0, "127.0.0.1");
    await once(vault.server, "listening");
    return vault;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** A command of an example, which asks this one. */
  at(command: string): string {
    return command.replaceAll("https://vault.example.com", this.url);
  }

  async close(): Promise<void> {
    this.server.close();
    await once(this.server, "close");
  }
}
