"use strict";
/**
 * The environment of a file whose tests build on each other; `@jest-environment <rootDir>/test/lab/inOrder.js` in the file's first
 * comment asks for it. After the first test that fails, afterFailure.ts fails the others at once: each counts as failed,
 * because it proved nothing, and none takes its time to fail for a reason that is not its own.
 */
const { TestEnvironment } = require("jest-environment-node");

module.exports = class extends TestEnvironment {
  handleTestEvent({ name, test }) {
    if (name === "test_done" && test.errors.length > 0) this.global.failedStep ??= test.name;
  }
};
