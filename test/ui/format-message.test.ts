import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MessageView } from '../../lib/app/types.ts';
import {
  formatMessage,
  formatMessages,
  formatRefusal,
  MARK_COLUMNS,
  progressMark,
  withMark,
} from '../../lib/ui/format-message.ts';
import { authorColour, type Style } from '../../lib/ui/style.ts';
import { SGR, textWidth } from '../../lib/ui/width.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, now: () => NOW };
const signs: Style = { ...plain, plain: false };
const coloured: Style = { ...signs, colours: true };

const message: MessageView = {
  id: '3fa91c00de',
  from: 'bob',
  room: 'lobby',
  text: 'hello',
  time: NOW,
  mine: false,
};
const direct: MessageView = {
  id: 'm2',
  from: 'bob',
  to: 'alice',
  text: 'psst',
  time: NOW,
  mine: false,
};

const HOSTILE = '\u001b]0;title\u0007\u001b[31mred\u202e\u0000\u009b2J';
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('format of messages', () => {
  const line = (fields: Partial<MessageView>, style = plain): string =>
    formatMessage({ ...message, ...fields }, style, '#lobby');

  it('names author, place and time', () => {
    assert.equal(formatMessage(message, plain, '#lobby'), '14:05 bob: hello');
    assert.equal(formatMessage(message, plain, '@carol'), '14:05 bob #lobby: hello');
    assert.equal(formatMessage(direct, plain), '14:05 bob to you: psst');
    assert.equal(
      formatMessage({ ...direct, mine: true, to: 'carol' }, signs),
      '14:05 you → carol: psst',
    );
    assert.equal(line({}, { ...plain, time: false }), 'bob: hello');
    const bob = authorColour('bob');
    assert.ok(line({}, coloured).includes(`\u001b[${bob}mbob\u001b[0m`));
  });

  it('shows calls: who called whom, or that there was one in the room', () => {
    const call = { outcome: 'ended', seconds: 60, people: 3 } as const;
    const text = 'Call of 3 people, 1 minute';
    assert.equal(line({ from: '', text, call }), `14:05 ${text}`);
    assert.equal(
      formatMessage({ ...message, from: '', text, call }, plain, '@carol'),
      `14:05 #lobby ${text}`,
    );
    const missed = {
      ...direct,
      text: 'Missed call',
      call: { ...call, outcome: 'missed' as const },
    };
    assert.equal(formatMessage(missed, plain), '14:05 bob to you: Missed call');
    const own = { ...missed, from: 'alice', to: 'bob', mine: true };
    assert.equal(formatMessage(own, plain), '14:05 you to bob: Missed call');
  });

  it('indents further lines and leaves out very many', () => {
    assert.equal(formatMessage({ ...direct, text: 'a\nb' }, plain), '14:05 bob to you: a\n  b');
    const flood = formatMessage({ ...direct, text: 'x\n'.repeat(8000) }, plain).split('\n');
    assert.equal(flood.length, 51);
    assert.equal(flood.at(-1), '  (7951 more lines)');
  });

  it('shows ids where they are wanted', () => {
    assert.equal(line({}, { ...plain, ids: true }), '14:05 3fa91c00 bob: hello');
    assert.equal(line({ id: '' }, { ...plain, ids: true }), '14:05 bob: hello');
  });

  it('says that a message was edited', () => {
    assert.equal(line({ edited: true }), '14:05 bob: hello (edited)');
  });

  it('names nobody for one that was removed', () => {
    const removed = { from: '', text: '*Message Removed*', removed: true } as const;
    assert.equal(line(removed), '14:05 *Message Removed*');
    assert.equal(line({ ...removed, room: 'den' }), '14:05 #den *Message Removed*');
    assert.equal(formatMessage({ ...direct, ...removed }, signs), '14:05 *Message Removed*');
  });

  it('says whom and what it answers', () => {
    const reply = { id: 'x', from: 'carol', text: 'Shall we go\nfor lunch at the usual place?' };
    assert.equal(
      line({ reply }),
      '14:05 bob answering carol "Shall we go for lunch at the …": hello',
    );
    assert.equal(line({ reply: { id: 'x', from: 'carol' } }, signs), '14:05 bob ↪ carol: hello');
    assert.equal(line({ reply: { id: 'x' } }), '14:05 bob answering a message: hello');
    assert.equal(
      line({ reply: { id: 'x', text: '*Message Removed*' } }, signs),
      '14:05 bob ↪ *Message Removed*: hello',
    );
    assert.equal(
      formatMessage({ ...direct, mine: true, reply }, signs).replace(/".*"/, '""'),
      '14:05 you → alice ↪ carol "": psst',
    );
  });

  it('shows who feels what about it, and counts where they are many', () => {
    const users = ['bob', 'carol', 'dave', 'erin', 'frank'];
    const reactions = [
      { emoji: '👍', users },
      { emoji: '❤', users: ['bob'] },
    ];
    assert.equal(line({ reactions }), '14:05 bob: hello [👍 bob, carol, dave and 2 more; ❤ bob]');
    const many = Array.from({ length: 40 }, (_, n) => ({ emoji: `${n}`, users }));
    assert.ok(line({ reactions: many }).length < 600);
  });

  it('shows the file that belongs to it', () => {
    const file = { name: 'a.png', size: 12_345, width: 640, height: 480, here: false };
    assert.equal(line({ file }), '14:05 bob: hello [a.png, 12.1 KiB, 640×480]');
    assert.equal(line({ text: '', file }), '14:05 bob: [a.png, 12.1 KiB, 640×480]');
  });

  it('makes words stand out that speak to whoever reads them', () => {
    const said = { text: 'hi @alice, and @bob', mention: true } as const;
    const mine = { ...coloured, user: 'Alice' };
    assert.ok(line(said, mine).endsWith(': hi \u001b[1;7m@alice\u001b[0m, and @bob'));
    assert.equal(
      line(said, { ...plain, user: 'alice' }),
      '14:05 bob mentions you: hi @alice, and @bob',
    );
    assert.equal(line(said, { ...signs, user: 'alice' }), '14:05 bob @you: hi @alice, and @bob');
    // What does not speak to them is as it was written.
    assert.ok(line({ text: 'hi @alice' }, mine).endsWith(': hi @alice'));
  });

  it('is harmless whatever others wrote', () => {
    const hostile: MessageView = {
      ...message,
      id: HOSTILE,
      from: HOSTILE,
      room: HOSTILE,
      text: HOSTILE,
      reply: { id: HOSTILE, from: HOSTILE, text: HOSTILE },
      file: { name: HOSTILE, size: 1, here: false },
      reactions: [{ emoji: HOSTILE, users: [HOSTILE] }],
      mention: true,
    };
    for (const style of [plain, signs, coloured].map((one) => ({ ...one, ids: true, user: 'red' })))
      for (const one of [hostile, { ...hostile, removed: true as const }]) {
        const shown = formatMessage(one, style).replace(SGR, '');
        assert.equal(HARMFUL.test(shown), false, JSON.stringify(shown));
        assert.equal(shown.includes('title'), false);
      }
  });

  it('tells of one that was refused and is not to be seen any more', () => {
    const refusal = { code: 'BLOCKED', text: 'That user has blocked you.' } as const;
    assert.equal(
      formatRefusal('hello\u001b[2J', refusal, plain),
      '14:05 * Your message "hello" was refused. BLOCKED: That user has blocked you.',
    );
  });
});

describe('marks', () => {
  it('tell how far a message has got', () => {
    const both = (...[progress]: Parameters<typeof progressMark>): string[] => [
      progressMark(progress, false),
      progressMark(progress, true),
    ];
    assert.deepEqual(both({ state: 'sending' }, false), ['…', 'sending']);
    assert.deepEqual(both({ state: 'held' }, false), ['✓', 'held by the server']);
    assert.deepEqual(both({ state: 'held', on: 0, of: 3 }, false), ['✓', 'held by the server']);
    assert.deepEqual(both({ state: 'held', on: 2, of: 3 }, false), ['✓ 2/3', 'on 2 of 3 devices']);
    assert.deepEqual(both({ state: 'held', on: 3, of: 3 }, false), ['✓✓', 'on all 3 devices']);
    assert.deepEqual(both({ state: 'held', on: 2, of: 3, read: 1 }, false), [
      ' read 1',
      'read by 1',
    ]);
    assert.deepEqual(both({ state: 'held', on: 3, of: 3, read: 0 }, false), [
      '✓✓',
      'on all 3 devices',
    ]);
    assert.deepEqual(both({ state: 'refused', code: 'DENIED' }, false), ['✗', 'refused: DENIED']);
  });

  it('have room in what is kept free for them', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.nat(),
        (on, of, read) =>
          textWidth(progressMark({ state: 'held', on, of, read }, false)) <= MARK_COLUMNS,
      ),
    );
  });

  it('have another colour once somebody has read the message', () => {
    const marked = (read: number): string =>
      withMark('x', { state: 'held', on: 1, of: 1, read }, coloured);
    assert.equal(marked(0), 'x \u001b[2m✓✓\u001b[0m');
    assert.equal(marked(2), 'x \u001b[36m read 2\u001b[0m');
  });
});

describe('lists of messages', () => {
  it('have a mark behind each of one’s own, and pass over what is none', () => {
    const mine = { ...message, mine: true, progress: { state: 'held', on: 1, of: 1 } };
    assert.equal(
      formatMessages([message, mine, null, 'x', { from: 1 }], { ...plain, time: false }, 'none'),
      'bob #lobby: hello\nbob #lobby: hello (on the one device)',
    );
    assert.equal(formatMessages([], plain, 'none'), 'none');
    assert.equal(formatMessages(undefined, plain, 'none'), 'none');
  });
});
