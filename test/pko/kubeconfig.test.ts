/** What kubeconfig.sh asks of the two clusters, with a program that notes its arguments and answers as `oc` does. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";

const SCRIPT = join(__dirname, "..", "..", "deploy", "pko", "kubeconfig.sh");
const ENDS = "2026-03-01T00:00:00Z";

/** Keeps a copy of the file that is sent, which the script removes. */
const OC = `#!/usr/bin/env bash
said="$*"
printf '%s\\n' "$said" >> "$CALLS"
case "$said" in
  *"create token"*) [ -z "$NO_ACCOUNT" ] || { echo 'serviceaccounts "auditor" not found' >&2; exit 1; } ;;
esac
case "$said" in
  *"create token"*) printf 'a-token ${ENDS}' ;;
  *clusters*certificate-authority-data*) printf 'Y2E=' ;;
  *clusters*server*) printf 'https://api.one.example.com:6443' ;;
  *--from-file=config=*) file=\${said##*--from-file=config=}; cp "\${file%% *}" "$KEPT" ;;
esac
`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  await writeFile(join(dir, "oc"), OC);
  await chmod(join(dir, "oc"), 0o755);
});
afterAll(() => rm(dir, { recursive: true }));

async function run(words: string[], noAccount = ""): Promise<{ calls: string[]; err: string; config: string }> {
  const [calls, kept] = [join(dir, "calls"), join(dir, "kept")];
  for (const file of [calls, kept]) await writeFile(file, "");
  const env = { PATH: `${dir}:${process.env["PATH"] ?? ""}`, CALLS: calls, KEPT: kept, NO_ACCOUNT: noAccount };
  const { stderr } = await promisify(execFile)(SCRIPT, words, { env }).catch(
    (error: unknown) => error as { stderr: string },
  );
  const asked = (await readFile(calls, "utf8")).trim().split("\n");
  return { calls: asked, err: stderr, config: await readFile(kept, "utf8") };
}

test("the token is bound to a Secret of its own, has an end, and goes to the hub with the member's address", async () => {
  const { calls, err, config } = await run(["hub", "one", "cluster1"]);
  const [made = ""] = calls;
  const bound = /create secret generic (deployer-hub-\d+) -n spire-federation/.exec(made)?.[1];
  expect(made).toMatch(/^--context one /);
  expect(calls).toContainEqual(
    expect.stringMatching(
      new RegExp(`create token deployer .*--duration 2160h --bound-object-kind Secret --bound-object-name ${bound}`),
    ),
  );
  expect(parse(config)).toMatchObject({
    clusters: [{ cluster: { server: "https://api.one.example.com:6443", "certificate-authority-data": "Y2E=" } }],
    users: [{ user: { token: "a-token" } }],
    "current-context": "one",
  });
  // The first two are of one pipe.
  expect(calls.filter((call) => call.startsWith("--context hub")).sort()).toEqual([
    expect.stringMatching(`annotate secret kubeconfig-cluster1 .*spire-federation/token-ends=${ENDS}`),
    expect.stringMatching(/apply --server-side/),
    expect.stringMatching(/create secret generic kubeconfig-cluster1 /),
  ]);
  expect(err).toContain(`ends at ${ENDS}`);
  expect(err).toContain(`token-of=deployer --field-selector metadata.name!=${bound}`);
});

test("no token is on a command line or shown", async () => {
  const { calls, err } = await run(["hub", "one", "cluster1"]);
  expect([...calls, err].filter((text) => text.includes("a-token"))).toEqual([]);
});

test("the auditor's goes to a Secret of its own", async () => {
  const { calls } = await run(["hub", "one", "cluster1", "auditor"]);
  expect(calls).toContainEqual(expect.stringMatching(/^--context hub create secret generic auditor-cluster1 /));
  expect(calls.filter((call) => call.includes("kubeconfig-cluster1"))).toEqual([]);
});

test("without the ServiceAccount the hub keeps what it has, and the member nothing", async () => {
  const { calls, err } = await run(["hub", "one", "cluster1", "auditor"], "yes");
  expect(err).toContain('serviceaccounts "auditor" not found');
  expect(calls.filter((call) => call.startsWith("--context hub"))).toEqual([]);
  const [made = ""] = calls;
  expect(calls.at(-1)).toBe(made.replace("create secret generic", "delete secret"));
});
