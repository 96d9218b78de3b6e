/** In the environment of inOrder.js: nothing that builds on a failed test runs. */
beforeEach(() => {
  const { failedStep } = globalThis as { failedStep?: string };
  if (failedStep !== undefined) throw new Error(`not run, because an earlier step failed: ${failedStep}`);
});
