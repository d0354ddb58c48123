import assert from 'node:assert/strict';
import type { AppEvent } from '../../lib/app/types.ts';
import { formatEvent, formatResult } from '../../lib/ui/format.ts';
import { parse, isSecretLine, maskSecrets } from '../../lib/ui/parse.ts';
import { exposedCommand } from '../../lib/ui/chat-guard.ts';
import type { Style } from '../../lib/ui/style.ts';
import { lineModes } from '../support/line-mode.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, now: () => NOW };
const HOSTILE = '\u001b]0;title\u0007\u001b[31mred\u202e\u0000\u009b2J';

describe('texts of private sessions', () => {
  const told = (event: AppEvent, style = plain): string =>
    formatEvent(event, style) ?? assert.fail(event.event);
  const request = (change: object = {}): AppEvent => ({
    event: 'private-request',
    user: 'bob',
    direction: 'incoming',
    kind: 'direct',
    verified: 'no',
    ...change,
  });

  it('say how a request is answered', () => {
    assert.equal(told(request()), '14:05 * bob asks for a private session: /yes bob or /no bob.');
    assert.match(told(request({ kind: 'relayed' })), /session, through a relay: /);
    assert.match(
      told(request({ kind: 'relayed', direction: 'outgoing' })),
      /bob is reached only through a relay.*\/yes bob/,
    );
  });

  it('show what is said, marked as what it is', () => {
    const message: AppEvent = { event: 'private-message', from: 'bob', text: 'hi', time: NOW };
    assert.equal(told(message), '14:05 (private) bob: hi');
    assert.equal(told(message, { ...plain, plain: false }), '14:05 [private] bob: hi');
  });

  it('warn of a number that is not the one that was compared', () => {
    const opened = (verified: 'yes' | 'no' | 'changed'): string =>
      told({ event: 'private-open', user: 'bob', verified });
    assert.equal(opened('yes'), opened('no'));
    assert.match(opened('changed'), /\nThe safety number with bob is not the one/);
    assert.match(told(request({ verified: 'changed' })), /\nThe safety number/);
  });

  it('say why a session is over', () => {
    const reasons = ['stopped', 'declined', 'withdrawn', 'late', 'elsewhere', 'logout', 'gone'];
    const texts = reasons.map((reason) =>
      told({ event: 'private-closed', user: 'bob', reason } as AppEvent),
    );
    assert.equal(new Set(texts).size, reasons.length);
    assert.ok(texts.every((text) => text.includes('bob')));
  });

  it('say what was not shown any more', () => {
    const gone = (unshown: number): string =>
      told({ event: 'private-closed', user: 'bob', reason: 'gone', unshown });
    assert.match(gone(1), /is over\. Your last message may not have been shown to them\.$/);
    assert.match(gone(3), /is over\. Your last 3 messages may not have been shown to them\.$/);
  });

  it('say that a line is lost', () => {
    assert.equal(
      told({ event: 'private-away', user: 'bob' }),
      '14:05 * The line to bob is lost. Another one is sought; what you say waits for it.',
    );
    assert.match(
      formatResult('private', { user: 'bob', state: 'waiting' }, plain),
      /^The line to bob is lost: it is shown/,
    );
  });

  it('say how somebody is connected', () => {
    const texts = (['direct', 'relayed', 'punched'] as const).map((kind) =>
      told({ event: 'path', user: 'bob', kind }),
    );
    assert.equal(new Set(texts).size, 3);
    assert.equal(texts[0], '14:05 * bob is connected directly.');
  });

  it('are harmless whatever others wrote', () => {
    const events: AppEvent[] = [
      request({ user: HOSTILE, verified: 'changed' }),
      { event: 'private-open', user: HOSTILE, verified: 'no' },
      { event: 'private-message', from: HOSTILE, text: HOSTILE, time: NOW },
      { event: 'private-closed', user: HOSTILE, reason: 'gone' },
      { event: 'private-away', user: HOSTILE },
      { event: 'path', user: HOSTILE, kind: 'direct' },
    ];
    for (const event of events)
      assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(told(event)), false);
  });

  it('of results read as sentences', () => {
    const text = (name: string, data: Record<string, unknown>): string =>
      formatResult(name, data, plain);
    assert.match(text('startprivate', { user: 'bob', state: 'asked' }), /bob has been asked/);
    // The same words as those of the event: whoever gave the command reads them once.
    assert.ok(
      told({ event: 'private-open', user: 'bob', verified: 'no' }).endsWith(
        `* ${text('startprivate', { user: 'bob', state: 'open' })}`,
      ),
    );
    assert.ok(
      told({ event: 'private-closed', user: 'bob', reason: 'stopped' }).endsWith(
        `* ${text('stopprivate', { user: 'bob' })}`,
      ),
    );
    assert.equal(text('private', { user: 'bob', state: 'delivered' }), 'bob has it.');
    assert.match(text('yes', { user: 'bob' }), /yes to bob/);
    assert.match(text('no', { user: 'bob' }), /no to bob/);
  });

  it('of a safety number have four groups a line', () => {
    const groups = Array.from({ length: 12 }, (_, group) => String(group).padStart(5, '0'));
    const verify = (verified: string): string[] =>
      formatResult('verify', { user: 'bob', number: groups.join(' '), verified }, plain).split(
        '\n',
      );
    assert.deepEqual(verify('no').slice(1, 4), [
      '  00000 00001 00002 00003',
      '  00004 00005 00006 00007',
      '  00008 00009 00010 00011',
    ]);
    assert.match(verify('yes')[4] ?? '', /have compared it/);
    assert.match(verify('changed')[4] ?? '', /^Careful/);
    assert.equal(verify('constructor')[4], '');
  });
});

describe('a line that is said in private', () => {
  it('enters no history, and is not said to everybody by mistake', () => {
    assert.deepEqual(parse('private @bob  the key'), {
      name: 'private',
      args: { user: 'bob', message: ' the key' },
    });
    assert.ok(isSecretLine('/private bob the key'));
    assert.ok(isSecretLine('/privat bob the key'));
    assert.equal(maskSecrets('/private bob the key'), '/private bob the key');
    assert.equal(exposedCommand('private bob the key'), 'private');
  });
});

describe('private sessions in line mode', () => {
  const modes = lineModes();

  it('are told of, with a sound where somebody is to look', () => {
    const bench = modes.open();
    const request = { user: 'bob', direction: 'incoming', kind: 'direct', verified: 'no' } as const;
    assert.match(bench.told({ event: 'private-request', ...request })[0] ?? '', /bob asks/);
    const message = { from: 'bob', text: 'hi\nthere', time: bench.clock.now() };
    assert.equal(bench.told({ event: 'private-message', ...message }).length, 2);
    assert.equal(bench.prompt.bells, 2);
    bench.settings.set('bell', false);
    bench.app.emit({ event: 'private-message', ...message });
    assert.equal(bench.prompt.bells, 2);
  });

  it('are not told of twice to who has done it', async () => {
    const bench = modes.open();
    bench.app.handlers.set('stopprivate', () => {
      bench.app.emit({ event: 'private-closed', user: 'bob', reason: 'stopped' });
      return { user: 'bob' };
    });
    bench.forget();
    await bench.type('/stopprivate bob');
    assert.equal(bench.lines.filter((line) => line.includes('is over')).length, 1);
  });

  it('leave no trace of what was said in what was typed', async () => {
    const bench = modes.open();
    bench.app.handlers.set('private', () => ({ user: 'bob', state: 'delivered' }));
    await bench.type('/private bob the key');
    assert.deepEqual(bench.prompt.remembered, []);
  });
});
