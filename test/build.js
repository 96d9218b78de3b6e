"use strict";
/** Before all tests: some of them start the program, and so what is in dist/. */
const { execFileSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

module.exports = () => {
  const check = join(__dirname, "..", "dist", "stacks", "buildCheck.js");
  if (existsSync(check) && require(check).checkBuild() === undefined) return;
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
};
