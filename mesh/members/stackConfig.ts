/**
 * A stack's config as `up` would use it, without its secrets: Pulumi is asked, which knows the project's defaults and the
 * environments as well, and needs no passphrase for that.
 *
 * Pulumi knows no stack that is still to be made, and may be out of reach while the clusters are not. Then the stack's file
 * and the project's defaults are taken, which say the same where no environment is imported.
 */
import type { Workspace } from "@pulumi/pulumi/automation";
import { NOT_SHOWN } from "../../components/shared/notShown";
import { isObject } from "../../components/shared/untyped";
import { pulumi } from "../pulumi/cli";
import { PulumiError } from "../pulumi/runPulumi";
import type { Project } from "./project";

/** What a Pulumi.<stack>.yaml has, as far as it is looked at. */
export interface StackFile {
  config?: Record<string, unknown>;
  /** Environments that it imports. */
  environment?: unknown;
  /** Who encrypts its secrets, as a URL. */
  secretsprovider?: string;
  /** There when a passphrase does. */
  encryptionsalt?: string;
}

/** What `pulumi config --json` says of a key. Of a secret it says no value. */
interface Said {
  value?: string;
  objectValue?: unknown;
  secret: boolean;
}

/**
 * Config by full key; a secret is NOT_SHOWN.
 *
 * @throws PulumiError when the file imports environments, and Pulumi cannot be asked
 */
export async function stackConfig(
  workspace: Workspace,
  project: Project,
  id: string,
  file: StackFile,
): Promise<Record<string, unknown>> {
  const opens = file.environment !== undefined;
  try {
    const said = await pulumi(workspace, ["config", "--json", ...(opens ? ["--open"] : []), "--stack", id]);
    return merged(JSON.parse(said) as Record<string, Said>, file.config ?? {});
  } catch (error) {
    if (!(error instanceof PulumiError)) throw error;
    if (opens)
      throw new PulumiError(`it imports environments, which Pulumi alone can open: ${error.message}`, error.stderr);
    return withoutSecrets({ ...project.defaults, ...file.config }) as Record<string, unknown>;
  }
}

/** Pure. Of an object with a secret in it Pulumi says nothing, and so what is no secret there is taken from the file. */
export function merged(
  said: Readonly<Record<string, Said>>,
  file: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const value = (key: string, { secret, value, objectValue }: Said): unknown => {
    if (!secret) return objectValue ?? value;
    return file[key] === undefined ? NOT_SHOWN : withoutSecrets(file[key]);
  };
  return Object.fromEntries(Object.entries(said).map(([key, entry]) => [key, value(key, entry)]));
}

/** Secrets stay as they are, encrypted: nothing here needs one, and so nobody needs the passphrase to look. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && typeof value["secure"] === "string") return NOT_SHOWN;
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutSecrets(part)]));
}
