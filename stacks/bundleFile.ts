/** Files of the project's folder that hold a trust bundle. */
import { closeSync, fstatSync, openSync, readFileSync, constants } from "node:fs";
import { resolve } from "node:path";
import { MOST_BYTES } from "../components/bundle/trustBundle";

/**
 * The file's text.
 *
 * @throws Error if the path is not a regular file (a device would be read without end), or larger than a bundle can be
 */
export function readBundleFile(dir: string, path: string): string {
  // Without O_NONBLOCK, opening a pipe would wait for its other end.
  const file = openSync(resolve(dir, path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error("it is not a regular file");
    if (stat.size > MOST_BYTES) throw new Error(`it has ${stat.size} bytes; a bundle has ${MOST_BYTES} at most`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}
