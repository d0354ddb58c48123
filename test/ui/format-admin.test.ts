import assert from 'node:assert/strict';
import type { AppEvent, ResultData } from '../../lib/app/types.ts';
import { ADMIN_COMMANDS } from '../../lib/ui/commands-admin.ts';
import { adminEventText, adminResultText } from '../../lib/ui/format-admin.ts';
import { BARE } from '../../lib/ui/format.ts';

describe('texts of administration', () => {
  const text = (name: string, data: ResultData): string =>
    adminResultText(name, data, BARE) ?? assert.fail(`no text of ${name}`);
  const event = (one: AppEvent): string | undefined => adminEventText(one, BARE);

  it('say how a code is used, and how long it is good', () => {
    const code = 'AAAA-BBBB';
    const invitation = text('invite', { code, group: 'user', uses: 1, seconds: 604_800 });
    assert.match(invitation, /"user": AAAA-BBBB \(good once, for 7 days\)/);
    assert.match(invitation, /clchat -lc --user NAME --code AAAA-BBBB/);
    const lift = text('code', { code, group: 'crew', uses: 5, seconds: 5_400 });
    assert.match(lift, /good 5 times, for 90 minutes/);
    assert.match(lift, /\/elevate AAAA-BBBB/);
    assert.match(text('code', { code, uses: 1, seconds: 86_400 }), /for 24 hours/);
    assert.match(text('code', { code, uses: 1, seconds: 1 }), /for 1 second\)/);
    assert.equal(text('elevate', { group: 'crew' }), 'You are in the group "crew" now.');
  });

  it('show a password or a code that was not mailed, and why', () => {
    const user = { user: 'dora', group: 'user', known: true };
    const shown = text('createuser', { ...user, mailed: false, password: 'PASS' });
    assert.match(shown, /First password: PASS \(shown only now/);
    const email = 'd@example.org';
    const mailed = text('createuser', { ...user, email, mailed: true });
    assert.match(mailed, /mailed to d@example\.org/);
    assert.doesNotMatch(mailed, /First password:/);
    const failed = { ...user, email, mailed: false, password: 'PASS', problem: 'No way.' };
    assert.match(text('createuser', failed), /No way\. It is shown here instead\.\n.*PASS/);
    const none = { ...user, email, mailed: false, password: 'PASS' };
    assert.match(text('createuser', none), /has no mail server/);
    assert.match(text('createuser', { ...none, known: false }), /no such group/);
    const reset = { user: 'dora', seconds: 86_400, note: 'Note.' };
    const code = text('resetpasswd', { ...reset, mailed: false, code: 'CODE' });
    assert.match(code, /CODE \(good once, for 24 hours\)/);
    assert.match(code, /--user dora --code CODE\n[^]*Note\.$/);
    const sent = text('resetpasswd', { ...reset, mailed: true });
    assert.match(sent, /mailed to dora/);
    assert.doesNotMatch(sent, /--code/);
    const unsent = { ...reset, mailed: false, code: 'CODE', problem: 'No way.' };
    assert.match(text('resetpasswd', unsent), /^No way\./);
  });

  it('describe groups', () => {
    const group = { group: 'crew', level: 20, permissions: ['say', 'do'], files: 10 << 20 };
    assert.equal(
      text('updategroup', group),
      '"crew" (level 20, files up to 10 MiB) allows: say do.',
    );
    assert.match(text('updategroup', { ...group, files: 0 }), /\(level 20, no files\)/);
    assert.match(text('updategroup', { ...group, permissions: [] }), /allows: nothing\./);
    const levels = text('levels', {
      levels: [
        { group: 'admin', level: 100, own: false },
        { ...group, members: 1, own: true, files: 1_000 },
      ],
    });
    assert.deepEqual(levels.split('\n'), [
      '  100  admin',
      '*  20  crew (1 member, files up to 1000 bytes): say do',
    ]);
    assert.match(text('removegroup', { group: 'crew', members: 2 }), /2 members keep the name/);
    assert.doesNotMatch(text('removegroup', { group: 'crew', members: 0 }), /keep/);
    const set = { user: 'bob', group: 'x' };
    assert.doesNotMatch(text('setusergroup', { ...set, known: true }), /no such group/);
    assert.match(text('setusergroup', { ...set, known: false }), /no such group/);
  });

  it('say what has become of an account', () => {
    assert.equal(text('removeuser', { user: 'bob', declined: true }), 'Nothing was changed.');
    assert.notEqual(
      text('removeuser', { user: 'bob', vengeance: true }),
      text('removeuser', { user: 'bob', vengeance: false }),
    );
    assert.deepEqual(
      text('updateuser', { user: 'rob', was: 'bob', display: 'R', email: null }).split('\n'),
      [
        'bob is called rob now.',
        'Lists show rob (R) now; messages go on naming rob.',
        'Mails for rob go nowhere.',
      ],
    );
    assert.match(text('updateuser', { user: 'rob', email: 'a@b.c' }), /go to a@b\.c/);
    const server = { user: 'bob', server: true };
    assert.match(text('ban', { ...server, seconds: 3_600 }), /for 60 minutes/);
    assert.match(text('ban', server), /for good/);
    assert.notEqual(text('kick', server), text('unban', server));
    // Of a room, it is told elsewhere.
    for (const name of ['kick', 'ban', 'unban'])
      assert.equal(adminResultText(name, { user: 'bob', room: 'x' }, BARE), undefined);
  });

  it('show the message of the day, or that there is none', () => {
    assert.equal(text('motd', { motd: 'Hello' }), 'Hello');
    const others = [{ motd: '' }, { motd: '', set: true }, { motd: 'Hello', set: true }];
    assert.equal(new Set(others.map((data) => text('motd', data))).size, 3);
  });

  it('are there for every command of administration, and for no other', () => {
    const data = { user: 'bob', was: 'rob', server: true, levels: [{ group: 'x', level: 1 }] };
    for (const { name } of ADMIN_COMMANDS) assert.ok(text(name, data).length > 0, name);
    assert.equal(adminResultText('say', {}, BARE), undefined);
    assert.equal(adminResultText('code', { purpose: 'join' }, BARE), undefined);
  });

  it('tell of codes and groups', () => {
    const used = { event: 'code', state: 'redeemed', user: 'dora' } as const;
    const texts = [
      event({ ...used, purpose: 'signup', group: 'user' }),
      event({ ...used, purpose: 'elevate', group: 'user' }),
      event({ ...used, purpose: 'join', room: 'a/b' }),
      event({ event: 'code', purpose: 'signup', state: 'issued', group: 'user' }),
      ...(['created', 'updated', 'removed', 'set'] as const).map((state) =>
        event({ event: 'group', group: 'crew', state, user: 'dora' }),
      ),
    ];
    assert.equal(new Set(texts).size, texts.length);
    assert.equal(texts[0], 'dora has used your invitation into the group "user".');
    assert.equal(texts[2], 'dora has used your code for the room #a/b.');
    assert.equal(texts.at(-1), 'dora is in the group "crew" now.');
    assert.equal(event({ event: 'contact', user: 'bob' }), undefined);
  });

  it('carry no control sequences', () => {
    const evil = '\u001b[2Jx\u202e';
    const data = {
      user: evil,
      group: evil,
      code: evil,
      password: evil,
      email: evil,
      problem: evil,
      motd: evil,
      name: evil,
      was: evil,
      permissions: [evil],
      levels: [{ group: evil, level: 1, permissions: [evil], members: 1 }],
    };
    for (const { name } of ADMIN_COMMANDS)
      assert.doesNotMatch(text(name, { ...data, server: true }), /[\u001b\u202e]/, name);
    const told = [
      event({ event: 'group', group: evil, state: 'set', user: evil }),
      event({ event: 'code', purpose: 'join', state: 'redeemed', room: evil, user: evil }),
    ];
    assert.doesNotMatch(told.join(''), /[\u001b\u202e]/);
  });
});
