/** What `.ci/run` is told of tests: their counts, a line a run, and what has failed. */
const { appendFileSync } = require('node:fs');

/** Lines that are told of one failure. */
const MAX_LINES = 40;

/** Writes to the file that a variable of the environment names, if there is one. */
function append(variable, text) {
  const file = process.env[variable];
  if (file !== undefined && file !== '' && text !== '') appendFileSync(file, text);
}

function lineOf({ title, message }) {
  const lines = message.split('\n').slice(0, MAX_LINES);
  return [`- ${title}`, ...lines.map((line) => `    ${line}`), ''].join('\n');
}

/** @param failed `{title, message}` of each that has failed */
exports.count = (passed, failed, skipped) => {
  append('CLCHAT_COUNTS', `${passed} ${failed.length} ${skipped}\n`);
  append('CLCHAT_FAILURES', failed.map(lineOf).join(''));
};
