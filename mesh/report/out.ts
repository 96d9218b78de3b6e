/** The page of `spire-federation report` as a file. */
import { constants } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../kernel/exit";
import { save } from "../members/stackFile";
import type { Verification } from "../verify/verification";
import { page } from "./page";

export interface OutOptions {
  out?: string | undefined;
  /** Stdout takes one of the two. */
  output?: string | undefined;
}

/** The page goes to stdout. */
export const STDOUT = "-";

/**
 * The file for the page; looked at before anything else is, which may take minutes.
 *
 * @throws UsageError when there is none, or it could not be written
 */
export async function readOut({ out, output }: OutOptions): Promise<string> {
  if (out === undefined || out === "") throw new UsageError("report needs --out FILE, where to write the page");
  if (out === STDOUT) {
    if (output === "json") throw new UsageError("--out -: stdout takes the page or the JSON; name a file for the page");
    return out;
  }
  const dir = dirname(out);
  try {
    await access(`${dir}/.`, constants.W_OK);
  } catch {
    throw new UsageError(`--out ${out}: ${dir} is missing, or is not a directory that you can write to`);
  }
  await refuseOther(out);
  return out;
}

/** A page replaces a regular file; never a device, a pipe or a link, which somebody else may have put there. */
async function refuseOther(out: string): Promise<void> {
  const there = await lstat(out).catch(() => undefined);
  if (there === undefined || there.isFile()) return;
  const kind = there.isDirectory() ? "a directory" : there.isSymbolicLink() ? "a symbolic link" : "not a regular file";
  throw new UsageError(`--out ${out}: it is ${kind}; name a regular file, or "-" for stdout`);
}

/** In one step: who opens it meanwhile has the old page or the new one. */
export async function savePage(file: string, verification: Verification): Promise<void> {
  // The checks may have taken minutes.
  await refuseOther(file);
  await save({ dir: dirname(file), file: basename(file), text: page(verification) });
}
