"use strict";
/**
 * Makes Node understand the project's TypeScript, and Pulumi start in half the time: `node --require ./stacks/loader.js`.
 *
 * sucrase leaves every line where it is, so stack traces need no source maps. What it has made of a text is kept, since
 * making it takes longer than all else that this program's own files do at a start.
 */
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { bundle, BUNDLER, DOOR } = require("./bundle.js");
require("./lazyPulumi.js");

const OPTIONS = {
  transforms: ["typescript", "imports"],
  enableLegacyTypeScriptModuleInterop: true,
  disableESTransforms: true, // Node knows all of it
};
const CACHE = join(__dirname, "..", "node_modules", ".cache", "spire-federation");
const SUCRASE = JSON.stringify([require("sucrase/package.json").version, OPTIONS]);

Module._extensions[".ts"] = (module, filePath) => {
  const source = readFileSync(filePath, "utf8");
  const javascript = filePath.endsWith(DOOR)
    ? kept([BUNDLER, source], () => bundle(source, filePath))
    : kept([SUCRASE, source], () => require("sucrase").transform(source, { ...OPTIONS, filePath }).code);
  module._compile(javascript, filePath);
};

/** What is made of some texts, made once. */
function kept(texts, make) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  const file = join(CACHE, `${hash.digest("hex")}.js`);
  try {
    return readFileSync(file, "utf8");
  } catch {
    const made = make();
    keep(file, made);
    return made;
  }
}

/** At once, for whoever starts at the same time. Where nothing can be written, each start is as slow as the first. */
function keep(file, text) {
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    return;
  }
}
