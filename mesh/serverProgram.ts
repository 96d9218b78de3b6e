/** Where the SPIRE server's program is in its container: it differs between images, and is looked for once per cluster. */
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../components/names";
import { POD, PROGRAMS } from "./serverCommands";
import { NoProgram, Refused, type Run } from "./serverExec";

export interface ServerProgram {
  /** @throws NoProgram when it is in none of the known places */
  path: () => Promise<string>;
  /** @throws Refused when it ends with an exit code other than 0 */
  run: (...args: string[]) => Promise<string>;
}

/** @param context of the cluster, for messages */
export function serverProgram(context: string, run: Run): ServerProgram {
  let found: Promise<string> | undefined;
  const path = (): Promise<string> => {
    const looking = (found ??= find(context, run));
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

async function find(context: string, run: Run): Promise<string> {
  for (const program of PROGRAMS) {
    try {
      await run(program, ["--version"]);
      return program;
    } catch (error) {
      if (error instanceof Refused) return program;
      if (!(error instanceof NoProgram)) throw error;
    }
  }
  const image = `oc --context ${context} get pod ${POD} -n ${OPERAND_NAMESPACE} -o jsonpath='{.spec.containers[*].image}'`;
  throw new NoProgram(
    `context "${context}": container ${SPIRE_SERVER} of ${OPERAND_NAMESPACE}/${POD} has none of ${PROGRAMS.join(" and ")}, ` +
      `so its SPIRE server was not asked; have it run an image of ZTWIM or of the SPIRE project: ${image} shows which one runs`,
  );
}
