/** The usual report, and the counts for `.ci/run` in the file that CLCHAT_COUNTS names. */
const { appendFileSync } = require('node:fs');
const { Runner, reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env['CLCHAT_COUNTS'];
      const { passes, failures, pending } = this.stats;
      if (file !== undefined) appendFileSync(file, `${passes} ${failures} ${pending}\n`);
    });
  }
};
