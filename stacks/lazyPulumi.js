"use strict";
/**
 * Has Pulumi's SDK load what it needs only to put functions into the state, npm's resolver of dependencies and the
 * TypeScript compiler, when it is first asked for something. Can go when pulumi/pulumi does so by itself.
 */
const Module = require("node:module");

const RARELY_USED = /^@npmcli\/arborist$|\/typescript-shim$/;

const load = Module._load;
Module._load = (request, ...from) =>
  RARELY_USED.test(request) ? lazily(() => load(request, ...from)) : load(request, ...from);

function lazily(module) {
  // "__esModule" is asked for by every import.
  return new Proxy({}, { get: (_, name) => name === "__esModule" || module()[name] });
}
