/** Prints the shell of the component for shellcheck: what every job does first, and what each does then. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

const [, pipeline] = parseAllDocuments(readFileSync("templates/spire-federation.yml", "utf8")).map((one) => one.toJS());
const { ".spire-federation": base, ...jobs } = pipeline;
const given = ["IDENTITY_TOKEN", "AWS_ROLE_ARN", ...Object.keys(base.variables)];
const scripts = Object.values(jobs).map(({ script }) => `(\n${script.join("\n")}\n)`);
const shell = ["#!/usr/bin/env bash", `set -e; export ${given.join(" ")}`, ...base.before_script, ...scripts].join(
  "\n",
);
// GitLab fills the inputs in before a shell sees them.
console.log(shell.replace(/\$\[\[ inputs\.(\S+) \]\]/g, "$1"));
