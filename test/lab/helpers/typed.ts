/** What a page tells people to run, as it stands, in a terminal, by somebody who answers every question with yes. */
import { spawn } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Project } from "../../../lab/client/project";
import { blocksOf, read, ROOT } from "../../docs/pages";

/** Blocks below a heading, up to the next one. */
export function commandsBelow(page: string, heading: string): string[] {
  const lines = read(page).split("\n");
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (from < 0) throw new Error(`${page} has no heading ${heading}`);
  const to = lines.findIndex((line, index) => index > from && /^#+ /.test(line));
  const within = (line: number): boolean => line > from && (to < 0 || line <= to);
  return blocksOf(page).flatMap(({ line, tag, text }) => (tag.startsWith("sh") && within(line) ? [text] : []));
}

/** Gives the exit code and what was on the terminal. */
export function typed(
  { dir, env }: Project,
  text: string,
  more: Record<string, string> = {},
): Promise<{ code: number | null; shown: string }> {
  const shell = spawn("script", ["--quiet", "--return", "--command", 'bash -ec "$TYPED"', "/dev/null"], {
    cwd: dir,
    env: { ...process.env, ...env, ...more, TYPED: text, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  shell.stdout.setEncoding("utf8").on("data", (some: string) => (shown += some));
  // It stays open: its end would be the end of the terminal.
  shell.stdin.write("y\n");
  return new Promise((resolve, reject) => {
    shell.once("error", reject);
    shell.once("close", (code) => {
      resolve({ code, shown });
    });
  });
}

/**
 * Environment of somebody who has `oc` and `cmctl`, as the clusters' administrator whatever the project's identity is, and
 * the repository's docs/ beside the stack files. `oc` is kubectl, and `cmctl renew` writes what the real one does.
 */
export async function withTools(project: Project): Promise<Record<string, string>> {
  const bin = join(project.dir, "bin");
  const kubectl = `KUBECONFIG=${process.env["KUBECONFIG"] ?? ""} exec kubectl`;
  const issuing = `{"type":"Issuing","status":"True","reason":"ManuallyTriggered","message":"by hand","lastTransitionTime":"'"$(date -u +%FT%TZ)"'"}`;
  const tools = {
    oc: `${kubectl} "$@"`,
    // cmctl --context CLUSTER renew NAME -n NAMESPACE
    cmctl: `${kubectl} --context "$2" -n "$6" patch certificate "$4" --subresource status --type merge -p '{"status":{"conditions":[${issuing}]}}'`,
  };
  await mkdir(bin);
  for (const [name, script] of Object.entries(tools))
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await symlink(join(ROOT, "docs"), join(project.dir, "docs"));
  return { PATH: [bin, process.env["PATH"]].join(delimiter), PULUMI_SKIP_CONFIRMATIONS: "true" };
}
