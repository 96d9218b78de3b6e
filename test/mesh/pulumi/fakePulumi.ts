/** A program in Pulumi's place: a script of bash, in a folder of its own. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cli } from "../../../mesh/pulumi/runPulumi";

export class FakePulumi implements Cli {
  readonly dir = mkdtempSync(join(tmpdir(), "pulumi-"));
  readonly command = join(this.dir, "pulumi");

  constructor(script: string) {
    writeFileSync(this.command, `#!/bin/bash\necho "$$ $*" >>"${this.file("runs")}"\n${script}\n`);
    chmodSync(this.command, 0o755);
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  /** What it has written into a file, line by line. */
  lines(name: string): string[] {
    try {
      return readFileSync(this.file(name), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  }

  close(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
