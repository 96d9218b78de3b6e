"use strict";
/** For jest: the Kubernetes client as stacks/loader.js loads it. */
const { bundle } = require("../stacks/bundle.js");

exports.process = (source, filePath) => ({ code: bundle(source, filePath) });
