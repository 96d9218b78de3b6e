/** What a job of a pipeline sees: a checkout of a project, and an API that has the comments of a change. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
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
    return new Checkout(project, await new CommentsApi().start(), results);
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

/** Answers on loopback, and remembers what it was asked. */
abstract class LoopbackApi {
  readonly requests: string[] = [];
  private readonly server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      response.end(JSON.stringify(this.answer(request, Buffer.concat(parts).toString())));
    });
  });

  protected abstract answer(request: IncomingMessage, body: string): unknown;

  async start(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.server.close();
    await once(this.server, "close");
  }

  /** Method, path and what proves who asks. */
  protected remember({ method = "", url = "" }: IncomingMessage, proof: unknown): void {
    this.requests.push(`${method} ${url} ${String(proof)}`.trim());
  }
}

/** GitHub's and GitLab's API as far as a comment needs it: they differ in names only. */
export class CommentsApi extends LoopbackApi {
  readonly comments: Comment[] = [
    // Whoever writes into a pull request can begin like that.
    { id: 6, body: "## spire-federation preview", user: { login: "somebody" }, author: { id: 3 } },
  ];

  protected override answer(request: IncomingMessage, text: string): unknown {
    const { method, url = "", headers } = request;
    this.remember(request, headers.authorization ?? headers["private-token"]);
    if (method !== "GET") this.write(url, bodyIn(text));
    return url.endsWith("/user") ? SELF.author : this.comments;
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
export const tool = (name: "gitlab" | "go-spiffe" | "promtool"): string =>
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
export class Vault extends LoopbackApi {
  protected override answer(request: IncomingMessage, text: string): unknown {
    this.remember(request, request.headers["x-vault-token"] ?? text);
    const secret = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key==", PULUMI_CONFIG_PASSPHRASE: "a b" };
    const answers: [path: string, answer: object][] = [
      ["/token", { value: "of-the-job" }],
      ["/v1/auth/jwt/login", { auth: { client_token: "of-vault" } }],
      ["/v1/secret/data/", { data: { data: { ...secret, kubeconfig: "a kubeconfig" } } }],
    ];
    return answers.find(([path]) => request.url?.startsWith(path))?.[1];
  }

  /** A command of an example, which asks this one. */
  at(command: string): string {
    return command.replaceAll("https://vault.example.com", this.url);
  }
}
