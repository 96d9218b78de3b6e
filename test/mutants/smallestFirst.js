"use strict";
/** Order of test files in which a fault is found soon: jest begins with those that take longest. */
const { statSync } = require("node:fs");

module.exports = class {
  sort(tests) {
    return [...tests].sort((one, other) => statSync(one.path).size - statSync(other.path).size);
  }
  allFailedTests(tests) {
    return tests;
  }
  cacheResults() {}
};
