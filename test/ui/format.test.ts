import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AppEvent, MessageView } from '../../lib/app/types.ts';
import { ClchatError } from '../../lib/errors.ts';
import { COMMANDS } from '../../lib/ui/commands.ts';
import { errorText, formatError, formatEvent, formatResult } from '../../lib/ui/format.ts';
import type { Style } from '../../lib/ui/style.ts';

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const plain: Style = { colours: false, plain: true, time: true, now: () => NOW };
const signs: Style = { ...plain, plain: false };

const message: MessageView = {
  id: 'm1',
  from: 'bob',
  room: 'lobby',
  text: 'hello',
  time: NOW,
  mine: false,
};
const HOSTILE = '\u001b]0;title\u0007\u001b[31mred\u202e\u0000\u009b2J';

describe('format of events', () => {
  const events: AppEvent[] = [
    { event: 'message', ...message },
    { event: 'broadcast', from: HOSTILE, text: HOSTILE, time: NOW },
    { event: 'presence', user: HOSTILE, online: true },
    { event: 'refused', id: 'm1', code: 'DENIED', text: HOSTILE },
    { event: 'server', connected: false, name: HOSTILE },
    { event: 'server', connected: true, name: 'acme' },
    { event: 'locked', user: HOSTILE, seconds: 60 },
    { event: 'missed-call', user: HOSTILE, time: NOW },
    { event: 'servermute', user: HOSTILE, room: HOSTILE, suppressed: true, by: HOSTILE },
    { event: 'login', user: HOSTILE },
    { event: 'logout', reason: HOSTILE },
    { event: 'notice', code: 'MULTICAST_BLOCKED', text: HOSTILE },
  ];

  it('has a line for each, harmless whatever others wrote', () => {
    for (const event of events) {
      const text = formatEvent(event, plain) ?? assert.fail(event.event);
      assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(text), false, text);
      assert.equal(text.includes('title'), false);
    }
  });

  it('says what happened', () => {
    assert.equal(
      formatEvent({ event: 'presence', user: 'bob', online: false }, plain),
      '14:05 * bob is offline',
    );
    assert.equal(
      formatEvent({ event: 'missed-call', user: 'bob', time: NOW - 3_600_000 }, plain),
      '13:05 * You have missed a call from bob.',
    );
    assert.match(
      formatEvent({ event: 'server', connected: false, name: 'acme' }, plain) ?? '',
      /acme is away/,
    );
    const logout = (reason: string): string =>
      formatEvent({ event: 'logout', reason }, plain) ?? assert.fail();
    assert.match(logout('timeout'), /nothing was done for too long/);
    assert.equal(logout('constructor'), '14:05 * You are logged out: constructor');
    assert.equal(
      formatEvent({ event: 'receipt', id: 'x', held: true, on: 1, of: 1 }, plain),
      undefined,
    );
  });

  it('shows of an error its code and text, and nothing of one that is not ours', () => {
    assert.equal(formatError(new ClchatError('SELF')), 'SELF: That is you.');
    assert.equal(formatError(new ClchatError('NETWORK', HOSTILE)), 'NETWORK: red');
    assert.equal(
      errorText(new Error('/home/somebody/secret')),
      'Something went wrong inside the program.',
    );
  });
});

describe('format of results', () => {
  const text = (name: string, data: Record<string, unknown>): string =>
    formatResult(name, data, plain);

  it('reads as sentences', () => {
    assert.equal(text('say', { id: 'm1', state: 'held', room: 'lobby' }), 'The server has it.');
    assert.match(text('message', { id: 'm1', state: 'queued', to: 'bob' }), /The server is away/);
    assert.equal(
      text('broadcast', { reached: ['bob'], missed: ['carol'] }),
      'It reached bob. Not reached: carol.',
    );
    assert.equal(text('broadcast', { reached: [], missed: [] }), 'It reached nobody.');
    assert.equal(text('whoelse', { users: ['bob', 'carol'] }), 'bob\ncarol');
    const displays = [
      { user: 'carol', display: 'Carol \u001b[31mRed' },
      { user: 'dora', display: 'not here' },
    ];
    assert.equal(text('whoelse', { users: ['bob', 'carol'], displays }), 'bob\ncarol (Carol Red)');
    assert.equal(text('whoelsesince', { users: [] }), 'Nobody else.');
    assert.equal(text('block', { user: 'bob' }), 'bob is blocked.');
    assert.equal(text('unblock', { user: 'bob' }), 'bob is no longer blocked.');
    assert.equal(text('login', { user: 'bob', created: false }), 'You are logged in as bob.');
    assert.equal(
      text('user', { user: 'bob', created: true }),
      'The account bob is made, and you are logged in.',
    );
    assert.equal(text('logout', { user: 'bob' }), 'bob is logged out. "login NAME" logs in again.');
    assert.equal(text('exit', {}), '');
    assert.equal(text('revoke', { device: 'desk' }), 'The device desk is revoked.');
    assert.equal(
      text('backup', { file: 'x', bytes: 12 }),
      'The backup is written to x (12 bytes).',
    );
    assert.equal(text('restore', { directory: '/d', server: {} }), 'Restored to /d.');
    assert.equal(text('settings', { settings: { bell: true, time: false } }), 'bell on\ntime off');
    assert.equal(
      text('devices', {
        devices: [{ id: 'a1', label: 'desk', current: true, online: true, added: NOW }],
      }),
      'a1  desk  (this one, online, added 14:05)',
    );
    assert.equal(
      text('resetpasswd', {
        user: 'bob',
        code: '7K',
        seconds: 60,
        note: 'Old messages stay closed.',
      }),
      'Code for bob: 7K (good once, for 60 seconds).\nbob starts with: clchat -lc --user bob --code 7K\nor, in a program that runs: /login bob --code 7K\nand is asked for a new password.\nOld messages stay closed.',
    );
    const server = { id: 'Qm', name: 'acme', addresses: ['1.2.3.4:5'], connected: true };
    assert.equal(
      text('connect', { server }),
      'Connected to acme at 1.2.3.4:5. "login NAME" comes next, or "user NAME" for a new account.',
    );
    assert.equal(
      text('server', { server, user: 'root' }),
      'The server runs: acme at 1.2.3.4:5. You are its administrator root.',
    );
    assert.equal(
      text('self', {
        user: 'bob',
        group: 'user',
        device: 'desk',
        server: { ...server, connected: false },
      }),
      'User: bob\nGroup: user\nDevice: desk\nServer: acme at 1.2.3.4:5, away',
    );
    const own = { ...server, connected: true, external: '11.0.0.2:5', invite: 'clchat:abc' };
    assert.match(
      text('self', { user: 'bob', server: own }),
      /\nFrom the internet: 11\.0\.0\.2:5\nInvite link: clchat:abc$/,
    );
  });

  it('gives a span of time in its largest whole unit', () => {
    const code = (seconds: number): string =>
      formatResult('resetpasswd', { user: 'bob', code: '7K', seconds }, plain).split('\n')[0] ?? '';
    for (const [seconds, text] of [
      [1, '1 second'],
      [90, '90 seconds'],
      [120, '2 minutes'],
      [3_600, '60 minutes'],
      [86_400, '24 hours'],
    ] as const)
      assert.ok(code(seconds).endsWith(`(good once, for ${text}).`), code(seconds));
  });

  it('shows messages with their marks', () => {
    const mine: MessageView = {
      ...message,
      from: 'alice',
      mine: true,
      progress: { state: 'held', on: 1, of: 2 },
    };
    assert.equal(
      text('history', { conversation: '#lobby', messages: [message, mine] }),
      '14:05 bob #lobby: hello\n14:05 alice #lobby: hello (on 1 of 2 devices)',
    );
    assert.equal(
      text('history', { conversation: '@bob', messages: [] }),
      'No messages in @bob yet.',
    );
    assert.equal(text('search', { words: 'x', messages: [] }), 'Nothing found.');
  });

  it('takes any data for any command, and lets nothing harmful through', () => {
    const name = fc.constantFrom(...COMMANDS.map((command) => command.name), 'later');
    const key = fc.constantFrom(
      'user',
      'users',
      'messages',
      'devices',
      'server',
      'state',
      'reached',
      'missed',
      'settings',
      'conversation',
      'code',
    );
    const leaf = fc.constantFrom<unknown>(HOSTILE, 1, null, undefined, true, NaN);
    const value = fc.oneof(
      leaf,
      fc.array(leaf),
      fc.array(
        fc.dictionary(fc.constantFrom('from', 'text', 'time', 'to', 'id', 'label', 'added'), leaf),
      ),
      fc.dictionary(fc.constantFrom('name', 'addresses', 'connected'), leaf),
    );
    fc.assert(
      fc.property(
        name,
        fc.dictionary(key, value),
        fc.constantFrom(plain, signs),
        (command, data, style) => {
          const shown = formatResult(command, data, style);
          assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(shown), false, shown);
        },
      ),
    );
  });
});
