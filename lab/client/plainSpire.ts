/**
 * A SPIRE server as somebody runs it without OpenShift: a process of its own in the lab's network, which no cluster knows.
 * Pods reach it by its address. Nothing stands in for anything: it is SPIRE's own program with a configuration by hand.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleKeys, type Keys } from "./cluster";
import { eventually } from "./eventually";
import { labState } from "./project";
import { ADDRESS, certify } from "./webCertificate";

const run = promisify(execFile);

export interface PlainSpire {
  trustDomain: string;
  port: number;
  profile: "https_web" | "https_spiffe";
}

export class PlainSpireServer {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly dir: string,
    private readonly spire: PlainSpire,
  ) {}

  /** Starts one with a folder of its own; returns once it serves. */
  static async start(dir: string, spire: PlainSpire): Promise<PlainSpireServer> {
    const server = new PlainSpireServer(join(dir, spire.trustDomain), spire);
    await mkdir(server.dir, { recursive: true });
    if (spire.profile === "https_web") await certify(server.dir);
    await server.restart();
    return server;
  }

  get trustDomain(): string {
    return this.spire.trustDomain;
  }

  get url(): string {
    return `https://${ADDRESS}:${this.spire.port}`;
  }

  /** Starts it, or starts it again, with what belongs into `federation` of its configuration besides. */
  async restart(federatesWith = ""): Promise<void> {
    await this.stop();
    await writeFile(join(this.dir, "server.conf"), this.configuration(federatesWith));
    // What vouches for clusters' endpoints is the lab's own CA.
    const env = { ...process.env, SSL_CERT_FILE: join(labState(), "ca", "bundle.crt") };
    const args = ["run", "-config", join(this.dir, "server.conf")];
    const child = spawn("spire-server", args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    this.child = child;
    await eventually(async () => {
      if (child.exitCode !== null) return;
      await this.command("bundle", "show");
    }, 60);
    if (child.exitCode !== null) throw new Error(`spire-server of ${this.trustDomain} ended:\n${said}`);
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill();
    await gone;
  }

  /** Runs a command of the SPIRE server. */
  async command(...args: string[]): Promise<string> {
    return (await run("spire-server", [...args, "-socketPath", this.socket])).stdout;
  }

  /** What its owner hands over. */
  bundle(): Promise<string> {
    return this.command("bundle", "show", "-format", "spiffe");
  }

  async ownKeys(): Promise<Keys> {
    return bundleKeys(await this.bundle());
  }

  /** The keys that it holds of another trust domain; undefined when it holds none. */
  async heldKeys(trustDomain: string): Promise<Keys | undefined> {
    const held = await this.command("bundle", "list", "-id", `spiffe://${trustDomain}`, "-format", "spiffe").catch(
      () => undefined,
    );
    return held === undefined ? undefined : bundleKeys(held);
  }

  private get socket(): string {
    return join(this.dir, "api.sock");
  }

  private configuration(federatesWith: string): string {
    const { trustDomain, port, profile } = this.spire;
    const web = `serving_cert_file {
          cert_file_path = "${join(this.dir, "tls.crt")}"
          key_file_path = "${join(this.dir, "tls.key")}"
          file_sync_interval = "1h"
        }`;
    return `server {
  bind_address = "127.0.0.1"
  bind_port = ${port + 1}
  socket_path = "${this.socket}"
  trust_domain = "${trustDomain}"
  data_dir = "${this.dir}"
  federation {
    bundle_endpoint {
      address = "${ADDRESS}"
      port = ${port}
      refresh_hint = "60s"
      profile "${profile}" {
        ${profile === "https_web" ? web : ""}
      }
    }
${federatesWith}
  }
}
plugins {
  DataStore "sql" {
    plugin_data {
      database_type = "sqlite3"
      connection_string = "${join(this.dir, "datastore.sqlite3")}"
    }
  }
  KeyManager "disk" {
    plugin_data {
      keys_path = "${join(this.dir, "keys.json")}"
    }
  }
  NodeAttestor "join_token" {
    plugin_data {}
  }
}
`;
  }
}
