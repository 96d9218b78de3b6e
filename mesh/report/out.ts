/** The page of `spire-federation report` as a file. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UsageError } from "../kernel/exit";
import { save } from "../members/stackFile";
import type { Verification } from "../verify/verification";
import { page } from "./page";

export interface OutOptions {
  out?: string | undefined;
}

/**
 * The file for the page; looked at before anything else is, which may take minutes.
 *
 * @throws UsageError when there is none, or it could not be written
 */
export async function readOut({ out }: OutOptions): Promise<string> {
  if (out === undefined || out === "") throw new UsageError("report needs --out FILE, where to write the page");
  const dir = dirname(out);
  try {
    await access(`${dir}/.`, constants.W_OK);
  } catch {
    throw new UsageError(`--out ${out}: ${dir} is no folder that can be written to`);
  }
  const there = await stat(out).catch(() => undefined);
  if (there?.isDirectory() === true) throw new UsageError(`--out ${out}: it is a folder; name a file in it`);
  return out;
}

/** In one step: who opens it meanwhile has the old page or the new one. */
export function savePage(file: string, verification: Verification): Promise<void> {
  return save({ dir: dirname(file), file: basename(file), text: page(verification) });
}
