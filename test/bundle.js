"use strict";
/** For jest: the Kubernetes client as stacks/loader.js loads it. */
const { createHash } = require("node:crypto");
const { bundle, BUNDLER } = require("../stacks/bundle.js");

exports.process = (source, filePath) => ({ code: bundle(source, filePath) });

/** By itself jest would keep the bundle of a client that has been replaced: the door's own text stays the same. */
exports.getCacheKey = (source) => createHash("sha256").update(BUNDLER).update(source).digest("hex");
