#!/usr/bin/env node
/** The command as a shell starts it. */
import { PROGRAM } from "../../components/shared/names";
import { checkBuild } from "../../stacks/buildCheck";
import { EXIT } from "../kernel/exit";
import { main } from "./main";

const problem = checkBuild();
if (problem !== undefined) {
  process.stderr.write(`${PROGRAM}: ${problem}\n`);
  process.exitCode = EXIT.usage;
} else {
  // Whoever reads the output has read enough, as `| head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
}
