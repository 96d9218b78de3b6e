"use strict";
/**
 * Runs the project's `verify -o prometheus` again and again in the current folder, and serves what it printed last at
 * /metrics. Deployment `metrics` runs it, from a ConfigMap; it is one file without dependencies for that.
 */
const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");

/** In a project that has the package, and in this one. */
const COMMANDS = ["node_modules/spire-federation/dist/mesh/cli/start.js", "dist/mesh/cli/start.js"];
const PAUSE_MS = Number(process.env.PAUSE_SECONDS) * 1000;
/** A cluster that does not answer costs `verify` less. */
const LIMIT_MS = 900_000;
/** On others `verify` has seen nothing. */
const SEEN = [0, 1, 3];

/** Of the last run that saw something: its time is in it, so that a run that does not end is seen, too. */
let page;

function look() {
  const command = COMMANDS.map((file) => join(process.env.PROJECT, file)).find((file) => existsSync(file));
  const stdio = ["ignore", "pipe", "inherit"];
  const child = spawn(process.execPath, [command, "verify", "-o", "prometheus"], { stdio, timeout: LIMIT_MS });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  child.on("close", (code, signal) => {
    if (SEEN.includes(code)) page = text;
    else console.error(`verify ended with ${code ?? signal}; the last page stays`);
    setTimeout(look, PAUSE_MS);
  });
}

createServer((request, response) => {
  const known = request.url === "/metrics";
  response.writeHead(!known ? 404 : page === undefined ? 503 : 200, { "content-type": "text/plain; version=0.0.4" });
  response.end(known ? page : undefined);
}).listen(Number(process.env.PORT), () => look());

// The first process of a container has no default for it.
process.on("SIGTERM", () => process.exit(0));
