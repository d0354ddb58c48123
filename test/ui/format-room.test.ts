import assert from 'node:assert/strict';
import type { AppEvent } from '../../lib/app/types.ts';
import { roomEventText, roomResultText } from '../../lib/ui/format-room.ts';
import { BARE, type Style } from '../../lib/ui/style.ts';

const SCREEN: Style = { ...BARE, plain: false, user: 'bob' };

const NODE = {
  members: [] as string[],
  children: [] as object[],
  joined: false,
  entered: false,
  encrypted: false,
  password: false,
  media: 'both',
  live: false,
  owner: 'alice',
  lifetime: 'permanent',
};
const shed = { ...NODE, name: 'shed', path: 'garden/shed', media: 'voice', live: true };
const garden = {
  ...NODE,
  name: 'garden',
  path: 'garden',
  members: ['alice', 'bob'],
  joined: true,
  children: [shed],
};
const vault = { ...NODE, name: 'vault', path: 'vault', encrypted: true, password: true };
const board = { ...NODE, name: 'board', path: 'board', encrypted: true, lifetime: 'temporary' };
const TREE = {
  structure: { name: 'acme', path: '', members: [], children: [garden, vault, board] },
  levels: [
    { group: 'admin', level: 100, users: ['bob'] },
    { group: 'user', level: 0, users: ['alice'] },
  ],
};

describe('the tree of rooms', () => {
  it('is drawn with members, levels and marks', () => {
    assert.equal(
      roomResultText('structure', TREE, SCREEN),
      `acme
├── #garden [joined]
│   ├── alice  (owner, user 0)
│   ├── bob  (admin 100)
│   └── #shed [voice only] [live call]
├── #vault [password]
└── #board [private] [temporary]`,
    );
  });

  it('shows beside a name what somebody is called in full', () => {
    const displays = [{ user: 'bob', display: 'Bob \u202ethe Builder' }];
    const drawn = roomResultText('structure', { ...TREE, displays }, BARE) ?? '';
    assert.match(drawn, /^\| {3}\|-- bob \(Bob the Builder\) {2}\(admin 100\)$/m);
    assert.match(drawn, /^\| {3}\|-- alice {2}\(owner, user 0\)$/m);
  });

  it('is drawn with plain characters where a reader needs them', () => {
    assert.equal(
      roomResultText('structure', TREE, BARE),
      `acme
|-- #garden [joined]
|   |-- alice  (owner, user 0)
|   |-- bob  (admin 100)
|   \`-- #shed [voice only] [live call]
|-- #vault [password]
\`-- #board [private] [temporary]`,
    );
  });

  it('counts those of whom there are many', () => {
    const members = Array.from({ length: 12 }, (_, at) => `user${at}`);
    const root = { ...TREE.structure, children: [{ ...garden, children: [], members }] };
    const lines = roomResultText('structure', { ...TREE, structure: root }, SCREEN)?.split('\n');
    assert.equal(lines?.length, 2 + 10 + 1);
    assert.equal(lines?.at(-1), '    └── and 2 more');
  });

  it('counts those in each of very many rooms', () => {
    const rooms = Array.from({ length: 2_500 }, (_, at) => ({
      ...garden,
      name: `room${at}`,
      members: at === 0 ? [] : ['alice', 'bob'],
      children: [],
    }));
    const root = { ...TREE.structure, children: rooms };
    const lines = roomResultText('structure', { ...TREE, structure: root }, BARE)?.split('\n');
    assert.equal(lines?.length, 2_501);
    assert.equal(lines?.[1], '|-- #room0 [joined]');
    assert.equal(lines?.[2], '|-- #room1 [joined]  2 members');
  });

  it('is harmless whatever names there are in it, and whatever its shape', () => {
    const evil = { ...garden, name: '\u001b[2Jx\n', members: ['\u202eevil'], children: [] };
    const root = { ...TREE.structure, children: [evil] };
    const text = roomResultText('structure', { ...TREE, structure: root }, SCREEN) ?? '';
    assert.doesNotMatch(text, /[\u001b\u202e]/);
    assert.equal(text.split('\n').length, 3);
    for (const odd of [undefined, null, 7, [], { children: [null, 3], members: 'x' }])
      assert.equal(typeof roomResultText('structure', { structure: odd }, SCREEN), 'string');
  });
});

describe('texts of rooms', () => {
  const result = (name: string, data: object): string | undefined =>
    roomResultText(name, data as Record<string, unknown>, SCREEN);

  it('say how a command went', () => {
    const rooms = [
      { ...garden, room: 'garden' },
      { ...vault, members: undefined, room: 'vault' },
    ];
    for (const [name, data, text] of [
      [
        'room',
        { room: 'a', created: true, encrypted: true, temporary: true },
        /^The room a is made, and you are in it. Only those .* It is gone when .*"\/enter a"/,
      ],
      ['room', { room: 'a', created: false, joined: true }, /^You have joined a\. "\/enter a"/],
      ['room', { room: 'a', created: false, joined: false }, /^You are in a already\./],
      ['room', { room: 'a', joined: true, passwordless: true }, /everybody here can read it/],
      ['enter', { room: 'a/b', joined: true }, /^You have joined a\/b, and are there\.$/],
      ['enter', { room: 'a/b', joined: false }, /^You are in a\/b\.$/],
      [
        'leave',
        { room: 'a/b', now: 'a' },
        /^You are out of a\/b, and still its member\. You are in a now\.$/,
      ],
      ['leave', { room: 'tea', conference: true }, /^You are out of tea, and still take part: /],
      ['exit', { room: 'a', given: true }, /no member any more\.$/],
      ['exit', { room: 'lobby', given: false }, /^You have left lobby\.$/],
      ['talk', { room: 'a' }, /^You talk in #a\.$/],
      ['talk', { to: 'bob' }, /^You talk to bob\.$/],
      ['rooms', { rooms }, /^#garden {2}2 members \[joined\]\n#vault \[password\]$/],
      ['admit', { user: 'bob', room: 'a' }, /^bob is in a now\.$/],
      ['updateroom', { room: 'a' }, /^The room a is changed\.$/],
      ['removeroom', { room: 'a', removed: 1 }, /^The room a is removed\.$/],
      ['removeroom', { room: 'a', removed: 3 }, /and with it 2 rooms in it\.$/],
      ['removeroom', { room: 'a', declined: true }, /^Nothing was removed\.$/],
      ['kick', { room: 'a', user: 'bob' }, /^bob is put out of a\.$/],
      ['kick', { room: 'a', user: 'bob', retired: true }, /Its password opens it no more/],
      ['ban', { room: 'a', user: 'bob' }, /^bob is banned from a for good\.$/],
      ['ban', { room: 'a', user: 'bob', seconds: 7200 }, /for 2 hours\.$/],
      ['unban', { room: 'a', user: 'bob' }, /^bob is no longer banned from a\.$/],
      ['code', { room: 'a', code: 'X-Y', uses: 1, seconds: 86_400 }, /: \/enter a --code X-Y$/],
    ] as const)
      assert.match(result(name, data) ?? '', text, name);
  });

  it('leave to others what is theirs', () => {
    for (const name of ['kick', 'ban', 'unban', 'code', 'exit', 'say'])
      assert.equal(result(name, { user: 'bob', group: 'x' }), undefined, name);
    assert.equal(roomEventText({ event: 'login', user: 'bob' }, SCREEN), undefined);
  });

  it('say how a password is given anew, and how long a code is good', () => {
    const kick = roomResultText('kick', { user: 'bob', room: 'vault', retired: true }, SCREEN);
    assert.match(kick ?? '', /"\/updateroom vault --password NEW-PASSWORD" gives it another/);
    const code = { room: 'vault', purpose: 'join', code: '7K', uses: 1, seconds: 1 };
    assert.match(roomResultText('code', code, SCREEN) ?? '', /\(good once, for 1 second\)/);
  });

  it('tell what others do, and what befalls oneself', () => {
    const member = (user: string, state: 'joined' | 'left' | 'removed'): AppEvent => {
      return { event: 'member', room: 'a', user, state };
    };
    for (const [event, text] of [
      [{ event: 'room', room: 'a', state: 'created', by: 'x' }, 'The room a is made by x.'],
      [{ event: 'room', room: 'a', state: 'updated', by: 'x' }, 'The room a is changed by x.'],
      [{ event: 'room', room: 'a', state: 'removed' }, 'The room a is removed.'],
      [member('alice', 'joined'), 'alice is in a now.'],
      [member('alice', 'left'), 'alice has left a.'],
      [member('alice', 'removed'), 'alice is put out of a.'],
      [member('bob', 'joined'), 'You are in a now.'],
      [member('bob', 'left'), 'You have left a.'],
      [member('bob', 'removed'), 'You are put out of a.'],
      [
        { event: 'servermute', user: 'alice', room: 'a', suppressed: true, by: 'x' },
        'alice is silenced for everyone in calls in a, by x.',
      ],
      [
        { event: 'servermute', user: 'bob', suppressed: true },
        'You are silenced for everyone in all calls.',
      ],
      [
        { event: 'servermute', user: 'bob', suppressed: false, by: 'x' },
        'You are silenced no longer in all calls, by x.',
      ],
    ] as [AppEvent, string][])
      assert.equal(roomEventText(event, SCREEN), text);
    const evil = roomEventText(
      { event: 'room', room: '\u001b]0;x\u0007', state: 'removed' },
      SCREEN,
    );
    assert.doesNotMatch(evil ?? '', /\u001b/);
  });
});
