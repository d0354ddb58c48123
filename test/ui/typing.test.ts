import assert from 'node:assert/strict';
import { install, type Clock } from '@sinonjs/fake-timers';
import fc from 'fast-check';
import { addressee, Typists } from '../../lib/ui/typing.ts';

describe('to whom a half-typed line speaks', () => {
  it('is the current conversation in chat mode, unless it is a command', () => {
    assert.deepEqual(addressee('h', 'chat'), {});
    assert.deepEqual(addressee('//etc', 'chat'), {});
    for (const line of ['', '   ', '/', '/whoelse', '/history 5'])
      assert.equal(addressee(line, 'chat'), undefined, line);
  });

  it('is told of commands that say something, once there is a text', () => {
    for (const [line, whom] of [
      ['say hi', {}],
      ['/say hi', {}],
      ['reply ^ hi', {}],
      ['reply 3fa91c hi', {}],
      ['message bob hi', { user: 'bob' }],
      ['msg @bob hi', { user: 'bob' }],
    ] as const) {
      assert.deepEqual(addressee(line, 'command'), whom, line);
      if (line.startsWith('/')) assert.deepEqual(addressee(line, 'chat'), whom, line);
    }
    for (const line of ['say', 'say ', 'message bob', 'message bob ', 'reply ^', 'edit 1 hi', 'hi'])
      assert.equal(addressee(line, 'command'), undefined, line);
  });

  it('is nobody where a secret may have lost its slash', () => {
    assert.equal(addressee('login bob secret', 'chat'), undefined);
    assert.equal(addressee('passwd secret', 'chat'), undefined);
  });

  it('is clear for any line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('chat', 'command'),
        (line, mode) => {
          const whom = addressee(line, mode);
          assert.ok(whom === undefined || line.trim() !== '');
        },
      ),
    );
  });
});

describe('others who are typing', () => {
  let clock: Clock;
  let typists: Typists;
  let changes: number;
  beforeEach(() => {
    clock = install();
    changes = 0;
    typists = new Typists(() => changes++);
  });
  afterEach(() => {
    typists.stop();
    clock.uninstall();
  });
  const lobby = { room: 'lobby' };

  it('are shown where they do, until a moment after they were last told of', () => {
    typists.note('bob', lobby);
    assert.equal(typists.textFor('#lobby'), 'bob is typing…');
    assert.equal(typists.textFor('#den'), '');
    assert.equal(typists.textFor(undefined), '');
    clock.tick(5_000);
    typists.note('bob', lobby);
    assert.equal(changes, 1);
    clock.tick(5_999);
    assert.equal(typists.textFor('#lobby'), 'bob is typing…');
    clock.tick(1);
    assert.equal(typists.textFor('#lobby'), '');
    assert.equal(changes, 2);
  });

  it('are shown no more once they have spoken there', () => {
    typists.note('bob', { to: 'bob' });
    typists.note('bob', lobby);
    typists.spoke('bob', { to: 'bob' });
    typists.spoke('carol', lobby);
    assert.deepEqual([typists.textFor('@bob'), typists.textFor('#lobby')], ['', 'bob is typing…']);
    assert.equal(changes, 3);
  });

  it('are named while they are few, in short, and harmless', () => {
    typists.note('bob', lobby);
    typists.note('al\u001b[2Jice', lobby);
    assert.equal(typists.textFor('#lobby'), 'bob and alice are typing…');
    typists.note('c'.repeat(32), lobby);
    assert.equal(typists.textFor('#lobby'), 'several are typing…');
    typists.stop();
    typists.note('c'.repeat(32), lobby);
    assert.ok(typists.textFor('#lobby').length <= 30);
  });

  it('are kept in mind in a bounded number', () => {
    for (let n = 0; n < 1_000; n++) typists.note(`n${n}`, { room: `${n}` });
    assert.equal(typists.textFor('#99'), 'n99 is typing…');
    assert.equal(typists.textFor('#100'), '');
  });
});
