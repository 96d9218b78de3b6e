"use strict";
/**
 * Makes Node understand the project's TypeScript, and Pulumi start in half the time: `node --require ./stacks/loader.js`.
 *
 * sucrase leaves every line where it is, so stack traces need no source maps. What Pulumi's SDK needs only to put
 * functions into the state, npm's resolver of dependencies and the TypeScript compiler, is loaded when it is first asked
 * for something; that can go when pulumi/pulumi does so by itself.
 */
const { readFileSync } = require("node:fs");
const Module = require("node:module");
const { transform } = require("sucrase");

Module._extensions[".ts"] = (module, filePath) => {
  const options = { filePath, transforms: ["typescript", "imports"], enableLegacyTypeScriptModuleInterop: true };
  module._compile(transform(readFileSync(filePath, "utf8"), options).code, filePath);
};

const RARELY_USED = /^@npmcli\/arborist$|\/typescript-shim$/;

const load = Module._load;
Module._load = (request, ...from) =>
  RARELY_USED.test(request) ? lazily(() => load(request, ...from)) : load(request, ...from);

function lazily(module) {
  // "__esModule" is asked for by every import.
  return new Proxy({}, { get: (_, name) => name === "__esModule" || module()[name] });
}
