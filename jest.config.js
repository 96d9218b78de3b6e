"use strict";

const transform = { "^.+\\.ts$": "@swc/jest" };

/** `unit` needs nothing but Node; `lab` needs a running lab and is started inside it. */
module.exports = {
  collectCoverageFrom: ["index.ts", "components/**/*.ts", "stacks/**/*.ts"],
  coverageDirectory: "coverage",
  projects: [
    { displayName: "unit", transform, testMatch: ["<rootDir>/test/!(lab)/**/*.test.ts"] },
    { displayName: "lab", transform, testMatch: ["<rootDir>/test/lab/**/*.test.ts"] },
  ],
};
