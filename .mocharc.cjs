module.exports = {
  extension: ['ts'],
  'node-option': ['import=tsx'],
  timeout: 20_000,
  forbidOnly: true,
  // Where everything a test may need is there, none may be left out.
  forbidPending: process.env['CI'] !== undefined,
  reporter: 'test/support/reporter.cjs',
  ignore: ['test/bench/**'],
};
