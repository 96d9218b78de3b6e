"use strict";

const transform = { "^.+\\.[jt]s$": "@swc/jest" };
// The Kubernetes client and what it uses are ES modules, which jest does not load as they are.
const transformIgnorePatterns = ["/node_modules/(?!(@kubernetes/client-node|jose|oauth4webapi|openid-client)/)"];
const moduleNameMapper = { "^@npmcli/arborist$|/typescript-shim$": "<rootDir>/test/empty.js" };
const files = { transform, transformIgnorePatterns, moduleNameMapper };

/** `unit` needs nothing but Node; `lab` needs a running lab and is started inside it. */
module.exports = {
  collectCoverageFrom: ["index.ts", "components/**/*.ts", "stacks/**/*.ts", "mesh/**/*.ts"],
  coverageDirectory: "coverage",
  testTimeout: 60_000, // a bound against hanging, not a measurement
  projects: [
    { displayName: "unit", ...files, testMatch: ["<rootDir>/test/!(lab)/**/*.test.ts"] },
    { displayName: "lab", ...files, testMatch: ["<rootDir>/test/lab/**/*.test.ts"] },
  ],
};
