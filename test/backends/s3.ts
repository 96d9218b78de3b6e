/** A real S3 server on loopback with one bucket, which has the state of a project with tiny stacks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp } from "node:fs/promises";
import { createServer, connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environment, run, TinyProject } from "./tinyProject";

const BUILD = join(__dirname, "..", "s3", "build");

export class ObjectStore extends TinyProject {
  private constructor(
    dir: string,
    env: NodeJS.ProcessEnv,
    private readonly server: ChildProcess,
  ) {
    super(dir, env, join(dir, "store", "state"));
  }

  static async start(): Promise<ObjectStore> {
    const program = (await run(BUILD)).stdout.trim();
    const dir = await mkdtemp(join(tmpdir(), "s3-"));
    await mkdir(join(dir, "store", "state"), { recursive: true });
    const port = await freePort();
    const keys = { id: "tester", secret: "of the tests" };
    const server = spawn(program, ["--port", `127.0.0.1:${port}`, "posix", join(dir, "store")], {
      env: { ...process.env, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      stdio: "ignore",
    });
    const env = {
      ...(await environment(dir)),
      PULUMI_BACKEND_URL: `s3://state?endpoint=http://127.0.0.1:${port}&s3ForcePathStyle=true&region=us-east-1`,
      AWS_ACCESS_KEY_ID: keys.id,
      AWS_SECRET_ACCESS_KEY: keys.secret,
    };
    const store = new ObjectStore(dir, env, server);
    await untilOpen(port);
    await store.make();
    return store;
  }

  override async close(): Promise<void> {
    this.server.kill();
    if (this.server.exitCode === null && this.server.signalCode === null) await once(this.server, "exit");
    await super.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
}
