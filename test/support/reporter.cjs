/** The usual report, and for `.ci/run` the counts and what has failed. */
const { Runner, reporters } = require('mocha');
const { count } = require('./counts.cjs');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const failed = this.failures.map((test) => ({
        title: test.fullTitle(),
        message: test.err?.stack ?? String(test.err),
      }));
      count(this.stats.passes, failed, this.stats.pending);
    });
  }
};
