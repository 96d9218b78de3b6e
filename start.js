"use strict";
/**
 * Where Pulumi starts, as Pulumi.yaml says. In this folder, not in dist/: the folder of this file is the working directory of
 * the program and of Pulumi's plugins, from which a relative kubeconfig is found.
 */
const { existsSync } = require("node:fs");
const { RunError } = require("@pulumi/pulumi");

if (!existsSync(`${__dirname}/dist/built`)) throw new RunError('dist: the program is not built; run "npm run build"');
module.exports = require("./dist/index.js");
