import assert from 'node:assert/strict';
import fc from 'fast-check';
import { headText, messageText } from '../../lib/app/moving-text.ts';
import type { MessageView } from '../../lib/app/types.ts';

const message = (fields: Partial<MessageView> = {}): MessageView => ({
  id: 'ab'.repeat(32),
  from: 'bob',
  room: 'lobby',
  text: 'hello',
  time: Date.UTC(2026, 4, 1, 12, 34, 56, 789),
  mine: false,
  ...fields,
});

describe('a message as a line of a text file', () => {
  const line = (fields: Partial<MessageView>): string => messageText(message(fields));
  const WHEN = '2026-05-01 12:34:56';

  it('tells when, who and what', () => {
    assert.equal(line({}), `${WHEN} bob: hello\n`);
    assert.equal(line({ text: 'one\ntwo' }), `${WHEN} bob: one\n  two\n`);
    assert.equal(line({ time: Number.MAX_SAFE_INTEGER }), '---------- --:--:-- bob: hello\n');
  });

  it('tells what has become of it', () => {
    assert.equal(line({ edited: true }), `${WHEN} bob (edited): hello\n`);
    assert.equal(
      line({ removed: true, from: '', text: '*Message Removed*' }),
      `${WHEN} *Message Removed*\n`,
    );
    assert.equal(
      line({
        reactions: [
          { emoji: '👍', users: ['alice', 'cat'] },
          { emoji: '🎉', users: ['bob'] },
        ],
      }),
      `${WHEN} bob: hello [👍 alice, cat; 🎉 bob]\n`,
    );
    assert.equal(
      line({ mine: true, progress: { state: 'sending' } }),
      `${WHEN} bob (not sent yet): hello\n`,
    );
    assert.equal(
      line({ mine: true, edited: true, progress: { state: 'refused', code: 'DENIED' } }),
      `${WHEN} bob (edited; refused: DENIED): hello\n`,
    );
    assert.equal(
      line({ mine: true, progress: { state: 'held', on: 1, of: 2 } }),
      `${WHEN} bob: hello\n`,
    );
  });

  it('tells of calls, with who called', () => {
    const call = { seconds: 60, people: 3 };
    const missed = { text: 'Missed call', call: { ...call, outcome: 'missed' as const } };
    assert.equal(line(missed), `${WHEN} bob: Missed call\n`);
    const ended = {
      from: '',
      text: 'Call of 3 people',
      call: { ...call, outcome: 'ended' as const },
    };
    assert.equal(line(ended), `${WHEN} Call of 3 people\n`);
  });

  it('names what it answers, and its file', () => {
    const answering = (reply: Omit<NonNullable<MessageView['reply']>, 'id'>): string =>
      line({ reply: { id: 'cd'.repeat(32), ...reply } });
    assert.equal(
      answering({ from: 'alice', text: 'well?' }),
      `${WHEN} bob (answering alice: "well?"): hello\n`,
    );
    assert.equal(
      answering({ text: '*Message Removed*' }),
      `${WHEN} bob (answering "*Message Removed*"): hello\n`,
    );
    assert.equal(answering({}), `${WHEN} bob (answering a message): hello\n`);
    const file = { name: 'a b.png', size: 1_234_567, here: false };
    assert.equal(line({ text: '', file }), `${WHEN} bob: [file "a b.png", 1234567 bytes]\n`);
    assert.equal(
      line({ file: { ...file, type: 'image/png', width: 640, height: 480 } }),
      `${WHEN} bob: hello [file "a b.png", 1234567 bytes, 640×480]\n`,
    );
  });

  it('holds nothing that a terminal obeys, and no line that poses as another message', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('a', '\n', '\r', '\u001b[2J', '\u009b', '\u202e', '\t', '\u2028'),
    });
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (text, from, name, emoji) => {
        const lines = line({
          text,
          from,
          file: { name, size: 1, here: false },
          reactions: [{ emoji, users: [from] }],
          reply: { id: '', from, text },
        }).split('\n');
        assert.equal(lines.pop(), '');
        assert.ok(lines[0]?.startsWith(`${WHEN} `));
        for (const further of lines.slice(1)) assert.ok(further.startsWith('  '), further);
        for (const one of lines) assert.doesNotMatch(one, /[\p{Cc}\u202e\u2028]/u);
      }),
    );
  });

  it('stands below a head that says of where it is', () => {
    assert.equal(
      headText('#lobby', 'ac\u001b[1mme'),
      'History of #lobby at acme. Times are UTC.\n\n',
    );
  });
});
