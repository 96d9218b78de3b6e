/** Where the SPIRE server's program is in its container: it differs between images, and is looked for once per cluster. */
import { accessFlags, type ClusterAccess, oc } from "../../components/cluster/access";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import { POD, PROGRAMS } from "./serverCommands";
import { NoProgram, Refused, runIn, type RunProgram } from "./serverExec";

export interface ServerProgram {
  /** @throws NoProgram when it is in none of the known places */
  path: () => Promise<string>;
  /** @throws Refused when it ends with an exit code other than 0 */
  run: (...args: string[]) => Promise<string>;
}

/** Where each cluster has the program, by the flags that lead there: it is found once in a run of mesh. */
const programs = new Map<string, ServerProgram>();

/** The program of a cluster. @param signal no command begins once it is aborted */
export function programAt(access: ClusterAccess, signal?: AbortSignal, requestMs?: number): ServerProgram {
  const key = accessFlags(access);
  const program = programs.get(key) ?? serverProgram(access, runIn(access, signal, requestMs));
  programs.set(key, program);
  return program;
}

/** @param access to the cluster, for messages */
export function serverProgram(access: ClusterAccess, run: RunProgram): ServerProgram {
  let found: Promise<string> | undefined;
  const path = (): Promise<string> => {
    const looking = (found ??= find(access, run));
    looking.catch(() => {
      if (found === looking) found = undefined;
    });
    return looking;
  };
  return {
    path,
    run: async (...args) => {
      const program = await path();
      try {
        return await run(program, args);
      } catch (error) {
        if (!(error instanceof NoProgram)) throw error;
        // The image has changed since, as by an upgrade.
        found = undefined;
        return run(await path(), args);
      }
    },
  };
}

async function find(access: ClusterAccess, run: RunProgram): Promise<string> {
  for (const program of PROGRAMS) {
    try {
      await run(program, ["--version"]);
      return program;
    } catch (error) {
      if (error instanceof Refused) return program;
      if (!(error instanceof NoProgram)) throw error;
    }
  }
  const jsonpath = "jsonpath='{.spec.containers[*].image}'";
  const image = oc(access, `get pod ${POD} -n ${OPERAND_NAMESPACE} -o ${jsonpath}`);
  throw new NoProgram(
    `context "${access.context ?? ""}": container ${SPIRE_SERVER} of ${OPERAND_NAMESPACE}/${POD} has none of ${PROGRAMS.join(" and ")}, ` +
      `so its SPIRE server was not asked; have it run an image of ZTWIM or of the SPIRE project: ${image} shows which one runs`,
  );
}
