/** Files of the project's folder that hold a trust bundle. */
import { closeSync, fstatSync, openSync, readFileSync, constants } from "node:fs";
import { resolve } from "node:path";
import { MOST_BYTES } from "../components/bundle/trustBundle";

/**
 * The file's text.
 *
 * @throws Error for what is no file of a bundle's size, such as a device, which would be read without end
 */
export function readBundleFile(dir: string, path: string): string {
  // A pipe would keep an open that waits for its other end.
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
