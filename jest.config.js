"use strict";

const { DOOR } = require("./stacks/bundle.js");

const transform = { [`${DOOR}$`]: "<rootDir>/test/bundle.js", "^.+\\.[jt]s$": "@swc/jest" };
const moduleNameMapper = { "^@npmcli/arborist$|/typescript-shim$": "<rootDir>/test/empty.js" };
const files = { transform, moduleNameMapper };

/**
 * `unit` needs nothing but Node; `backends` needs Pulumi, and Go for an S3 server; `lab` needs a running lab and is started
 * inside it.
 */
module.exports = {
  collectCoverageFrom: ["index.ts", "components/**/*.ts", "stacks/**/*.ts", "mesh/**/*.ts", `!**${DOOR}`],
  coverageDirectory: "coverage",
  testTimeout: 60_000, // a bound against hanging, not a measurement
  projects: [
    { displayName: "unit", ...files, testMatch: ["<rootDir>/test/!(lab|backends)/**/*.test.ts"] },
    { displayName: "backends", ...files, testMatch: ["<rootDir>/test/backends/**/*.test.ts"] },
    {
      displayName: "lab",
      ...files,
      testMatch: ["<rootDir>/test/lab/**/*.test.ts"],
      setupFilesAfterEnv: ["<rootDir>/test/lab/setup.ts"],
    },
  ],
};
