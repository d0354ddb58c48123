import assert from 'node:assert/strict';
import { movingResultText } from '../../lib/ui/format-moving.ts';
import { BARE, type Style } from '../../lib/ui/style.ts';

const NOW = new Date(2026, 4, 1, 18, 30).getTime();
const style: Style = { ...BARE, now: () => NOW };
const textOf = (name: string, data: Record<string, unknown>): string =>
  movingResultText(name, data, style) ?? assert.fail(`no text for ${name}`);

describe('the text of an export', () => {
  const data = {
    file: '/tmp/lobby\u001b[2J.txt',
    conversation: '#lobby',
    format: 'text',
    messages: 1_234_567,
    bytes: 98_765_432,
    complete: true,
  };

  it('says what is where', () => {
    assert.equal(
      textOf('export', data),
      '1,234,567 messages of #lobby written to /tmp/lobby.txt (94.2 MiB).',
    );
    assert.match(textOf('export', { ...data, messages: 1, bytes: 99 }), /^1 message of .*99 bytes/);
  });

  it('says what is missing', () => {
    const lines = textOf('export', { ...data, complete: false }).split('\n');
    assert.equal(lines.length, 2);
    assert.match(lines[1] ?? '', /missing/);
  });
});

describe('the text of an import', () => {
  const skip = (line: number) => ({ line, name: `user${line}`, code: 'BAD_NAME', text: 'No.' });

  it('says how many were made, and what to do next', () => {
    const lines = textOf('import', { file: '/tmp/c', made: ['yoda'], skipped: [] }).split('\n');
    assert.equal(lines[0], '1 account made.');
    assert.match(lines[1] ?? '', /the same again/);
    assert.match(lines[2] ?? '', /^\/tmp\/c still holds the passwords/);
    assert.equal(lines.length, 3);
  });

  it('names the lines that were skipped, as far as they are few', () => {
    const skipped = [{ line: 3, code: 'USAGE', text: 'A line \u001b[1mis so.' }, skip(7)];
    assert.equal(
      textOf('import', { file: '/tmp/c', made: [], skipped }),
      [
        '0 accounts made.',
        '2 lines skipped:',
        '  line 3: USAGE. A line is so.',
        '  line 7 (user7): BAD_NAME. No.',
      ].join('\n'),
    );
    const many = Array.from({ length: 1_025 }, (_, i) => skip(i));
    const lines = textOf('import', { file: '/tmp/c', made: [], skipped: many }).split('\n');
    assert.equal(lines.length, 23);
    assert.equal(lines.at(-1), '  and 1,005 more');
    assert.equal(lines[1], '1,025 lines skipped:');
  });

  it('says that nothing was made where nobody wanted it', () => {
    const data = { file: '/tmp/c', made: [], skipped: [], declined: true };
    assert.equal(textOf('import', data), 'Nothing was made.');
  });
});

describe('the text of figures', () => {
  const data = {
    server: {
      name: 'ac\u001b[1mme',
      connected: true,
      accounts: 12,
      online: 3,
      rooms: 1,
      conferences: 1,
      groups: 2,
    },
    replica: {
      streams: 2_104,
      entries: 1_002_345,
      messages: 1_000_000,
      indexed: 999_999,
      bytesOnDisk: 512_300_000,
    },
    outbox: { pending: 1, refused: 0 },
    connection: {
      address: '127.0.0.1:49152',
      rttMs: 3.2,
      since: new Date(2026, 4, 1, 12, 34).getTime(),
    },
    process: { memory: 123_000_000, uptime: 7_500 },
  };

  it('are for people', () => {
    assert.deepEqual(textOf('stats', data).split('\n'), [
      'Server: acme',
      'There: 12 accounts (3 online), 1 room, 1 conference, 2 groups',
      'Connection: 127.0.0.1:49152, answers in 3.2 ms, since 12:34',
      'Here: 1,002,345 entries in 2,104 streams, 489 MiB',
      'Conversations: 1,000,000 entries, 99 % ready for "search"',
      'Outbox: 1 waiting, 0 refused',
      'Program: 117 MiB of memory, running for 2 h 5 min',
    ]);
  });

  it('leave out what is not known', () => {
    const { connection: _away, ...rest } = data;
    const text = textOf('stats', {
      ...rest,
      server: { name: 'acme', connected: false, accounts: 1, rooms: 1, conferences: 1, groups: 2 },
      replica: { streams: 1, entries: 1, messages: 0, indexed: 0 },
    });
    assert.deepEqual(text.split('\n').slice(0, 4), [
      'Server: acme, away',
      'There: 1 account, 1 room, 1 conference, 2 groups',
      'Here: 1 entry in 1 stream',
      'Conversations: 0 entries, 100 % ready for "search"',
    ]);
  });

  it('end with the call, where there is one', () => {
    const call = { room: 'kitchen', state: 'active', participants: [] };
    const lines = textOf('stats', { ...data, call }).split('\n');
    assert.equal(lines.length, 8);
    assert.equal(lines.at(-1), 'Call: #kitchen, active, nobody else is there');
  });

  it('give a time in its two largest units', () => {
    const running = (uptime: number): string => {
      const text = textOf('stats', { ...data, process: { memory: 0, uptime } });
      return /running for (.*)$/.exec(text)?.[1] ?? '';
    };
    const times = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 1_000_000];
    assert.deepEqual(times.map(running), [
      '0 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
      '23 h 59 min',
      '1 d 0 h',
      '11 d 13 h',
    ]);
  });
});

it('other results have their text elsewhere', () => {
  assert.equal(movingResultText('history', {}, style), undefined);
});
