import assert from 'node:assert/strict';
import {
  ClchatError,
  codeOf,
  EXIT,
  exitStatusOf,
  hasCode,
  isAbort,
  isErrorCode,
  textOf,
  translate,
} from '../lib/errors.ts';

const system = (code: string): Error => Object.assign(new Error(`${code}: it is so`), { code });

describe('errors', () => {
  it('have the text of their code unless they say something better', () => {
    assert.equal(new ClchatError('DENIED').message, textOf('DENIED'));
    const error = new ClchatError('DENIED', 'not you', { data: { permission: 'sendMessage' } });
    assert.deepEqual(
      [error.name, error.code, error.message, error.data],
      ['ClchatError', 'DENIED', 'not you', { permission: 'sendMessage' }],
    );
    assert.ok(error instanceof Error);
    assert.ok(!('cause' in error));
    const cause = new Error('why');
    assert.equal(new ClchatError('INTERNAL', undefined, { cause }).cause, cause);
  });

  it('are told by their code', () => {
    const error = new ClchatError('LOCKED');
    assert.ok(hasCode(error, 'LOCKED'));
    assert.ok(!hasCode(error, 'DENIED'));
    assert.ok(!hasCode({ code: 'LOCKED' }, 'LOCKED'));
    assert.ok(!hasCode(undefined, 'LOCKED'));
    assert.equal(codeOf(error), 'LOCKED');
    for (const other of [new Error('x'), undefined, 'LOCKED', { code: 'LOCKED' }])
      assert.equal(codeOf(other), 'INTERNAL');
  });

  it('have codes from one table', () => {
    for (const code of ['USAGE', 'DENIED', 'INTERNAL', 'STALE_KEY']) assert.ok(isErrorCode(code));
    for (const other of [
      '',
      'denied',
      'NOPE',
      '__proto__',
      'toString',
      'constructor',
      7,
      null,
      undefined,
    ])
      assert.ok(!isErrorCode(other), String(other));
  });

  it('end the program with the status that scripts rely on', () => {
    for (const [code, status] of [
      ['USAGE', 2],
      ['BAD_ADDRESS', 2],
      ['BAD_PASSWORD', 3],
      ['LOCKED', 3],
      ['NOT_LOGGED_IN', 3],
      ['REVOKED', 3],
      ['CODE_REQUIRED', 3],
      ['NETWORK', 4],
      ['NO_SERVER', 4],
      ['TIMEOUT', 4],
      ['PORT_IN_USE', 4],
      ['SERVER_KEY_CHANGED', 4],
      ['INTERRUPTED', 130],
      ['DENIED', 1],
      ['INTERNAL', 1],
      ['DISK_FULL', 1],
    ] as const)
      assert.equal(exitStatusOf(new ClchatError(code)), status, code);
    assert.equal(exitStatusOf(new Error('x')), EXIT.failed);
    assert.equal(exitStatusOf(undefined), EXIT.failed);
  });

  it('of the system are translated, with what they were as the cause', () => {
    for (const [code, expected] of [
      ['ENOSPC', 'DISK_FULL'],
      ['EDQUOT', 'DISK_FULL'],
      ['EROFS', 'DATA_READ_ONLY'],
      ['EACCES', 'DATA_READ_ONLY'],
      ['EADDRINUSE', 'PORT_IN_USE'],
      ['ECONNREFUSED', 'NETWORK'],
      ['ECONNRESET', 'CLOSED'],
      ['ETIMEDOUT', 'TIMEOUT'],
      ['ENOENT', 'NO_SUCH_FILE'],
    ] as const) {
      const error = system(code);
      const translated = translate(error, 'DATA_CORRUPT', 'another text');
      assert.deepEqual([codeOf(translated), translated.message], [expected, textOf(expected)]);
      assert.equal(translated.cause, error);
    }
  });

  it('that say nothing we know get the code and text of the caller', () => {
    for (const error of [new Error('x'), system('EWHATEVER'), 'a string', undefined, null, 7, {}]) {
      assert.equal(codeOf(translate(error)), 'INTERNAL');
      const translated = translate(error, 'BAD_MESSAGE', 'so it is');
      assert.deepEqual([codeOf(translated), translated.message], ['BAD_MESSAGE', 'so it is']);
    }
  });

  it('of ours, and aborts, pass untouched', () => {
    const ours = new ClchatError('DENIED');
    assert.equal(translate(ours, 'INTERNAL', 'x'), ours);
    const abort = new DOMException('stopped', 'AbortError');
    assert.equal(translate(abort), abort);
    assert.ok(isAbort(abort));
    assert.ok(!isAbort(ours));
    assert.ok(!isAbort({ name: 'AbortError' }));
  });
});
