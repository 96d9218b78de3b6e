"use strict";
/**
 * Has Pulumi's SDK load only when it is first asked for it what no start of this program needs: npm's resolver of
 * dependencies and the TypeScript compiler, which put functions into the state; OpenTelemetry, for --tracing; the
 * Automation API; charts and files of YAML. Can go when pulumi/pulumi does so by itself.
 */
const Module = require("node:module");

const PACKAGES = /^@npmcli\/arborist$|\/typescript-shim$|^@opentelemetry\/(?!api$)/;
const PARTS = /^\.\/(automation|helm|kustomize|yaml)$/;
const SDK = /\/@pulumi\/(pulumi|kubernetes)\/index\.js$/;

const load = Module._load;
Module._load = (request, parent, ...more) => {
  const rarelyUsed = PACKAGES.test(request) || (PARTS.test(request) && SDK.test(parent?.filename));
  return rarelyUsed ? lazily(() => load(request, parent, ...more)) : load(request, parent, ...more);
};

function lazily(module) {
  // "__esModule" is asked for by every import.
  return new Proxy({}, { get: (_, name) => name === "__esModule" || module()[name] });
}
