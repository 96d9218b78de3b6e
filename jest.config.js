"use strict";

const files = {
  transform: { "^.+\\.ts$": "@swc/jest" },
  // The client is ES modules, which jest does not load: as `npm run build` has bundled it.
  moduleNameMapper: { "/kubernetesClient$": "<rootDir>/dist/components/cluster/kubernetesClient.js" },
};

/**
 * `unit` needs Node and what every machine has, and Chromium for the report; `backends` needs Pulumi, and Go for an S3 server and promtool;
 * `lab` needs a running lab and is started inside it. What a folder of `lab` needs is in its file `lab`.
 */
module.exports = {
  globalSetup: "<rootDir>/test/build.js",
  collectCoverageFrom: [
    "components/**/*.ts",
    "stacks/**/*.ts",
    "mesh/**/*.ts",
    "deploy/**/*.ts",
    "!**/kubernetesClient.ts",
  ],
  coverageDirectory: "coverage",
  testTimeout: 60_000, // a bound against hanging, not a measurement
  projects: [
    { displayName: "unit", ...files, testMatch: ["<rootDir>/test/!(lab|backends)/**/*.test.ts"] },
    { displayName: "backends", ...files, testMatch: ["<rootDir>/test/backends/**/*.test.ts"] },
    {
      displayName: "lab",
      ...files,
      testMatch: ["<rootDir>/test/lab/*/*.test.ts"],
      setupFilesAfterEnv: ["<rootDir>/test/lab/setup.ts", "<rootDir>/test/lab/afterFailure.ts"],
    },
  ],
};
