/** What has come of a command in a container, as kubelets of either runtime and API servers say it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Forbidden } from "../../../components/cluster/cluster";
import { collected, httpStatusOf, NoProgram, outputOf, Refused, runIn } from "../../../mesh/spire/serverExec";

const PROGRAM = "/opt/spire/bin/spire-server";
const exited = (code: string) => ({
  status: "Failure",
  reason: "NonZeroExitCode",
  message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
  details: { causes: [{ reason: "ExitCode", message: code }] },
});
const internal = (message: string) => ({ status: "Failure", reason: "InternalError", code: 500, message });

/** The class of what is thrown, or what was written. */
function outcomeOf(status: object, err = "", out = ""): unknown {
  try {
    return outputOf("context c", PROGRAM, { status, out, err });
  } catch (error) {
    return (error as Error).constructor;
  }
}

test("what the program writes is its answer", () => {
  expect(outcomeOf({ status: "Success" }, "", "{}")).toBe("{}");
});

test.each([
  [
    "containerd with runc: an InternalError without exit code",
    internal(
      'error executing command in container: failed to exec in container: failed to start exec "5c1e": OCI runtime exec failed: exec failed: unable to start container process: exec: "/opt/spire/bin/spire-server": stat /opt/spire/bin/spire-server: no such file or directory: unknown',
    ),
    "",
  ],
  [
    "CRI-O with runc: an exit code, and why on stderr",
    exited("255"),
    'time="2026-11-28T10:00:00Z" level=error msg="exec failed: unable to start container process: exec: \\"/opt/spire/bin/spire-server\\": stat /opt/spire/bin/spire-server: no such file or directory"\n',
  ],
  [
    "CRI-O with crun",
    exited("127"),
    "executable file `/opt/spire/bin/spire-server` not found: No such file or directory",
  ],
  ["a runtime that looks in PATH", exited("1"), `exec: "${PROGRAM}": executable file not found in $PATH`],
])("no such program, %s", (_, status, err) => {
  expect(outcomeOf(status, err)).toBe(NoProgram);
});

test.each([
  ["it has no such bundle", "Error: failed to show bundle: rpc error: code = NotFound desc = bundle not found"],
  [
    "another file is missing: its socket, while it starts",
    'Error: connection error: desc = "transport: error while dialing: dial unix /tmp/spire-server/private/api.sock: connect: no such file or directory"',
  ],
])("a refusal is only what the program says itself: %s", (_, err) => {
  expect(outcomeOf(exited("1"), err)).toBe(Refused);
});

test.each([
  ["the container is gone", internal('container not found ("spire-server")')],
  ["the kubelet is not reached", internal("error dialing backend: dial tcp 10.0.0.4:10250: i/o timeout")],
])("what never ran has refused nothing: %s", (_, status) => {
  expect(outcomeOf(status)).toBe(Error);
});

test("a refused connection is known by its status code, not by a number somewhere in the text", () => {
  expect(httpStatusOf("Unexpected server response: 403")).toBe(403);
  expect(httpStatusOf("connect ECONNREFUSED 10.4.0.3:6443, port 403")).toBeUndefined();
});

test("stdout and stderr are asked for apart, without a terminal, and what may not be is said to be forbidden", async () => {
  const asked: URLSearchParams[] = [];
  const server = createServer().on("upgrade", ({ url = "" }, socket) => {
    asked.push(new URL(url, "http://localhost").searchParams);
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const dir = mkdtempSync(join(tmpdir(), "exec-"));
  const kubeconfig = join(dir, "config");
  const api = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: api, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    }),
  );
  await expect(runIn({ kubeconfig, context: "c" })(PROGRAM, ["bundle", "show"])).rejects.toThrow(Forbidden);
  const [query] = asked;
  expect(query?.getAll("command")).toEqual([PROGRAM, "bundle", "show"]);
  expect(["stdin", "stdout", "stderr", "tty"].map((one) => query?.get(one))).toEqual([
    "false",
    "true",
    "true",
    "false",
  ]);
  server.close();
  rmSync(dir, { recursive: true });
});

test("an answer without an end is not kept", async () => {
  const stream = new PassThrough();
  const text = collected(stream);
  const failed = new Promise<Error>((resolve) => stream.on("error", resolve));
  stream.write("a bundle");
  await new Promise(setImmediate);
  expect(text()).toBe("a bundle");
  for (let written = 0; written < 20; written++) stream.write(Buffer.alloc(1_000_000));
  expect((await failed).message).toBe("it answers more than 16 MB");
  expect(text().length).toBeLessThan(16_000_001);
});
