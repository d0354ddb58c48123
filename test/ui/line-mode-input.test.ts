/** What line mode does with lines, and how it ends; what it prints is in line-mode.test.ts. */
import assert from 'node:assert/strict';
import { install, type Clock as FakeClock } from '@sinonjs/fake-timers';
import { ClchatError } from '../../lib/errors.ts';
import { eventually, turns } from '../support/channels.ts';
import { lineModes, type LineModeBench, type LineModeSetup } from '../support/line-mode.ts';

describe('line mode', () => {
  const { open } = lineModes();
  /** One that has greeted. */
  const start = (setup?: LineModeSetup): LineModeBench => open(setup).forget();

  describe('reads', () => {
    it('text for the current conversation, and commands after a slash', async () => {
      const bench = start();
      await bench.type('hello', '/whoelse', '//etc is a directory', '   ', ' indented');
      bench.app.conversation = '@bob';
      await bench.type('psst');
      assert.deepEqual(bench.app.calls, [
        { name: 'say', args: { text: 'hello' } },
        { name: 'whoelse', args: {} },
        { name: 'say', args: { text: '/etc is a directory' } },
        { name: 'say', args: { text: ' indented' } },
        { name: 'message', args: { user: 'bob', message: 'psst' } },
      ]);
    });

    it('commands alone in the other mode, and says which mode it is', async () => {
      const bench = start();
      await bench.type('/mode', 'whoelse', 'hello there', '/mode chat', 'hello there');
      assert.deepEqual(bench.lines, [
        '> /mode',
        'command mode',
        '>>> whoelse',
        'bob',
        'carol',
        'Zoë',
        '>>> hello there',
        'USAGE: There is no command "hello". Did you mean "help"?',
        '>>> /mode chat',
        'chat mode',
        '04:05 alice: hello there … ✓',
      ]);
      assert.equal(bench.prompt.prompt, '#lobby> ');
      bench.app.room = 'den';
      await bench.type('/mode command');
      assert.equal(bench.prompt.prompt, '[den] >>> ');
    });

    it('commands alone once nobody is logged in, and says why it takes no text', async () => {
      const bench = start();
      bench.app.user = undefined;
      await bench.type('hello there', 'message bob', 'whoelse');
      assert.deepEqual(bench.lines, [
        '>>> hello there',
        'NOT_LOGGED_IN: You are not logged in. Use "login NAME".',
        '>>> message bob',
        'USAGE: MESSAGE is missing. Usage: message USER MESSAGE',
        '>>> whoelse',
        'NOT_LOGGED_IN: You are not logged in. Use "login NAME".',
      ]);
    });

    it('a secret without showing it or keeping the line', async () => {
      const bench = start();
      const { lines, prompt } = bench;
      prompt.answers.push(true);
      await bench.type('/passwd old new', '/login alice hunter2', '/whoelse', 'passwd is a word');
      assert.deepEqual(prompt.remembered, ['/whoelse', 'passwd is a word']);
      assert.equal(lines[0], '> /passwd **** ****');
      assert.equal(lines.join('\n').includes('hunter2'), false);
      await bench.type('/login alice');
      assert.ok(lines.includes('Password of alice?'));
      assert.equal(prompt.remembered.length, 2);
    });

    it('a command without its slash as text only when the person says so', async () => {
      const bench = start();
      const { app, lines, prompt } = bench;
      prompt.answers.push(false, true);
      await bench.type('passwd old hunter2', 'login is what I cannot do');
      assert.deepEqual(lines.slice(0, 3), [
        'This looks like the command /passwd. Say it to everybody?',
        'Nothing was said. A command begins with a slash: /passwd',
        'This looks like the command /login. Say it to everybody?',
      ]);
      assert.deepEqual(app.calls, [{ name: 'say', args: { text: 'login is what I cannot do' } }]);
      assert.deepEqual(prompt.remembered, ['login is what I cannot do']);
      app.conversation = '@bob';
      bench.forget();
      // A question that is broken off is no yes; a word alone and a doubled slash tell nothing.
      await bench.type('resetpasswd carol', 'login', '//user me hunter2', 'whoelse is there');
      assert.equal(lines[0], 'This looks like the command /resetpasswd. Say it to bob?');
      assert.deepEqual(
        app.calls.slice(1).map(({ args }) => Object.values(args)[1]),
        ['login', '/user me hunter2', 'whoelse is there'],
      );
    });

    it('as text whatever it says, where nobody can be asked', async () => {
      const bench = open({ inPlace: false, options: { unattended: true } });
      await bench.type('passwd is a word');
      assert.equal(bench.app.calls.length, 1);
    });

    it('on past a message that waits, but not past what may ask', async () => {
      const { app, prompt } = start({ manual: true });
      const onLine = (line: string) => prompt.handlers.onLine(line);
      for (const line of ['one', 'two', '/whoelse']) assert.equal(onLine(line), undefined, line);
      assert.ok(onLine('/login alice') instanceof Promise);
      await turns();
      const names = (): string[] => app.calls.map(({ name }) => name);
      assert.deepEqual(names(), ['say', 'say']);
      app.hold();
      await eventually('the rest', () => app.calls.length === 4);
      assert.deepEqual(names().slice(2), ['whoelse', 'login']);
    });

    it('no further in a pipe while a command is under way', async () => {
      const { app, prompt } = start({ inPlace: false, manual: true });
      let whoelse: (data: object) => void = () => undefined;
      app.handlers.set('whoelse', () => new Promise((resolve) => (whoelse = resolve as never)));
      const onLine = (line: string) => prompt.handlers.onLine(line);
      // A message holds up nothing.
      await onLine('one');
      let isRead = false;
      const read = Promise.resolve(onLine('/whoelse')).then(() => (isRead = true));
      await turns();
      app.hold();
      await turns();
      assert.deepEqual([app.calls.length, isRead], [2, false]);
      whoelse({ users: [] });
      await read;
    });

    it('what clears the screen, and what is to be completed', async () => {
      const bench = start();
      await bench.type('/clear');
      assert.deepEqual(bench.prompt.done, ['clear']);
      const complete = (before: string): string[] =>
        bench.prompt.handlers.complete?.(before).candidates.map(({ text }) => text) ?? [];
      assert.deepEqual(complete('bo'), ['bob:']);
      assert.deepEqual(complete('/mess'), ['message']);
      await bench.type('/mode command');
      assert.deepEqual(complete('mess'), ['message']);
    });

    it('keys as signs of life, of which the App hears once a second', () => {
      const { app, clock, prompt } = start();
      const press = (): void => prompt.handlers.onActivity?.();
      for (let key = 0; key < 10; key++) press();
      assert.equal(app.touches, 1);
      clock.pass(999);
      press();
      assert.equal(app.touches, 1);
      clock.pass(1);
      press();
      assert.equal(app.touches, 2);
    });
  });

  describe('ends', () => {
    it('by "quit" and "exit" once all is settled, and hears nothing more', async () => {
      for (const word of ['/quit', '/exit']) {
        const bench = start();
        const { app } = bench;
        await bench.type(word);
        assert.deepEqual(await bench.ended, { reason: 'quit', status: 0 });
        assert.equal(app.settled, 1);
        assert.equal(app.listeners, 0);
        assert.deepEqual(bench.prompt.done, ['close']);
        await bench.type('too late');
        assert.deepEqual(app.calls, []);
      }
    });

    it('with the input, unless it is headless', async () => {
      const bench = start();
      bench.prompt.handlers.onStop('end');
      assert.deepEqual(await bench.ended, { reason: 'end', status: 0 });
      const headless = start({ options: { headless: true } });
      headless.prompt.handlers.onStop('end');
      await headless.type('still here');
      assert.equal(headless.app.calls.length, 1);
      headless.stop.abort();
      assert.deepEqual(await headless.ended, { reason: 'interrupt', status: 130 });
    });

    it('at once where it has been ended before it began', async () => {
      const bench = open({ options: { signal: AbortSignal.abort() } });
      assert.deepEqual(await bench.ended, { reason: 'interrupt', status: 130 });
      assert.deepEqual(bench.prompt.done, ['break off', 'close']);
    });

    it('though the App cannot settle', async () => {
      const bench = start();
      bench.app.settle = () => Promise.reject(new ClchatError('CLOSED'));
      await bench.type('/quit');
      assert.equal((await bench.ended).reason, 'quit');
    });

    describe('in time', () => {
      let timers: FakeClock;
      beforeEach(() => (timers = install({ toFake: ['setTimeout', 'clearTimeout'] })));
      afterEach(() => timers.uninstall());
      const isOver = ({ ended }: LineModeBench): Promise<boolean> =>
        Promise.race([ended.then(() => true), turns().then(() => false)]);

      it('waiting for what is under way, as it says after a moment, until it is forced', async () => {
        const bench = start({ manual: true });
        await bench.type('hello', '/quit');
        await timers.tickAsync(499);
        assert.equal(bench.lines.length, 1);
        await timers.tickAsync(1);
        assert.equal(bench.lines[1], 'Finishing what is under way. Ctrl-C ends at once.');
        await timers.tickAsync(3_600_000);
        assert.equal(await isOver(bench), false);
        bench.prompt.handlers.onStop('interrupt');
        assert.deepEqual(await bench.ended, { reason: 'quit', status: 0 });
      });

      it('by an interrupt within two seconds, whatever is under way', async () => {
        const bench = start({ manual: true });
        await bench.type('hello');
        bench.prompt.handlers.onStop('interrupt');
        assert.equal(await isOver(bench), false);
        assert.deepEqual(bench.prompt.done, ['break off']);
        await timers.tickAsync(1_999);
        assert.equal(await isOver(bench), false);
        await timers.tickAsync(1);
        assert.deepEqual(await bench.ended, { reason: 'interrupt', status: 130 });
        assert.equal(bench.app.settled, 0);
      });

      it('at once by one more interrupt', async () => {
        const bench = start({ manual: true });
        await bench.type('hello');
        bench.prompt.handlers.onStop('interrupt');
        bench.prompt.handlers.onStop('interrupt');
        assert.deepEqual(await bench.ended, { reason: 'interrupt', status: 130 });
        assert.deepEqual(bench.prompt.done, ['break off', 'close']);
      });
    });
  });
});
