/** What a program outside of all clusters serves with: everybody in the lab takes its CA for a public one. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { labState } from "./project";

const run = promisify(execFile);

/** Where commands in the lab are, for its pods. */
export const ADDRESS = "198.18.0.254";

/** Writes `tls.key` and `tls.crt` for that address into a folder. */
export async function certify(dir: string): Promise<void> {
  const [ca, extensions] = [join(labState(), "ca", "web-ca"), join(dir, "extensions")];
  const [key, request] = [join(dir, "tls.key"), join(dir, "tls.csr")];
  await writeFile(extensions, `subjectAltName=IP:${ADDRESS}\n`);
  await run(
    "openssl",
    ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].concat([
      ...["-subj", "/CN=partner", "-keyout", key, "-out", request],
    ]),
  );
  await run(
    "openssl",
    ["x509", "-req", "-in", request, "-CA", `${ca}.crt`, "-CAkey", `${ca}.key`].concat([
      ...["-days", "1", "-extfile", extensions, "-out", join(dir, "tls.crt")],
    ]),
  );
}
