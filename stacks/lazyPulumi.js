"use strict";
/**
 * Has Pulumi's SDK load only when it is first asked for it what no start of this program needs: npm's resolver of
 * dependencies, the TypeScript compiler and a debugger's session, which put functions into the state; OpenTelemetry, for
 * --tracing; the Automation API; charts and files of YAML. Can go when pulumi/pulumi does so by itself.
 */
const Module = require("node:module");

const PACKAGES = /^@npmcli\/arborist$|\/typescript-shim$|^@opentelemetry\/(?!api$)/;
const PARTS = /^\.\/(automation|helm|kustomize|yaml)$/;
const SDK = /\/@pulumi\/(pulumi|kubernetes)\/index\.js$/;

/**
 * While its session is open, V8 looks at each rejected promise for somebody who handles it, along every path through
 * what waits for it. Through outputs the paths double with each step: a wait that gives up, or a read that is refused,
 * ended in a process that grows to 10 GB and says nothing.
 */
const DEBUGGER = /\/closure\/v8Hooks$/;
/** Pulumi's runner awaits the session at each start; whoever needs it awaits it again. */
const NOT_AWAITED = { isInitializedAsync: () => Promise.resolve() };

/**
 * Never loaded. Ours needs no source maps, since every line of TypeScript is where it was (loader.js). Pulumi's SDK
 * writes a stack trace for each resource and promise, which with maps is a tenth of a run's CPU. And what maps make of
 * its own places, such as `(…/node_modules/@pulumi/resource.ts:1598:22)`, is a line on which `util.inspect` in colour,
 * with which Pulumi prints the error that ends a program, never ends in many versions of Node (nodejs/node#64011).
 */
const SOURCE_MAPS = "source-map-support/register";

const load = Module._load;
Module._load = (request, parent, ...more) => {
  if (request === SOURCE_MAPS) return {};
  const module = () => load(request, parent, ...more);
  if (DEBUGGER.test(request)) return lazily(module, NOT_AWAITED);
  return PACKAGES.test(request) || (PARTS.test(request) && SDK.test(parent?.filename)) ? lazily(module) : module();
};

function lazily(module, known = {}) {
  const all = { __esModule: true, ...known }; // every import asks for that
  return new Proxy({}, { get: (_, name) => (Object.hasOwn(all, name) ? all[name] : module()[name]) });
}
