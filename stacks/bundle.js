"use strict";
/**
 * Makes one file of the project's door to the Kubernetes client and of what it lets through. Node takes longer to load
 * the client's modules one by one than all else that a start loads.
 */
const { dirname } = require("node:path");

exports.DOOR = "/components/kubernetesClient.ts";

/** What a bundle depends on, besides the door's own text. */
exports.BUNDLER = ["esbuild", "@kubernetes/client-node"].map((name) => require(`${name}/package.json`).version).join();

exports.bundle = (source, filePath) =>
  require("esbuild").buildSync({
    stdin: { contents: source, loader: "ts", resolveDir: dirname(filePath) },
    bundle: true,
    platform: "node",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "error",
    write: false,
  }).outputFiles[0].text;
