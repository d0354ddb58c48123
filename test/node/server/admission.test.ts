import assert from 'node:assert/strict';
import type { Action } from '../../../lib/crdt/bodies.ts';
import { redeem } from '../../../lib/crdt/codes.ts';
import { eraseBodies } from '../../../lib/crdt/erase.ts';
import { eraseBody, type Entry } from '../../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../../lib/crdt/keyring.ts';
import type { EntryId } from '../../../lib/crdt/keys.ts';
import { proveChange } from '../../../lib/crdt/membership.ts';
import { DEFAULT_FILE_LIMIT } from '../../../lib/crdt/rights.ts';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  type StreamName,
} from '../../../lib/crdt/stream.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { Admission, MAX_ROOMS } from '../../../lib/node/server/admission.ts';
import { Directory } from '../../../lib/node/server/directory.ts';
import { Member, SealedCommunity } from '../../support/community.ts';
import {
  codeFacts,
  EXPORT,
  joinEntry,
  makeLocked,
  makeRoom,
  newLock,
  roomEntry,
  type LockedRoom,
  type MadeRoom,
} from '../../support/rooms.ts';

const KEY = new Uint8Array(32).fill(1);
const NONE = 'ab'.repeat(32) as EntryId;

describe('admission', () => {
  let community: SealedCommunity;
  let admission: Admission;
  let root: Member;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;
  /** `blocker target`. */
  const blocks = new Set<string>();
  /** `device account`: whose password a device has proved. */
  const proofs = new Set<string>();
  /** What the live part of conferences was asked, and what it answers. */
  const asked: string[] = [];
  let answer: ErrorCode | undefined;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    root = await community.join('root');
    alice = await community.join('alice');
    bob = await community.join('bob');
    pair = pairStream(alice.account, bob.account);
    await community.appoint(root, 'admin');
    for (const list of [blocks, proofs]) list.clear();
    asked.length = 0;
    answer = undefined;
    admission = new Admission({
      log: community.log,
      directory: await Directory.open(community.log),
      clock: community.clock,
      isBlocked: (blocker, target) => blocks.has(`${blocker} ${target}`),
      takeProof: (device, of) => proofs.delete(`${device} ${of}`),
      conference: (room, action: Action) => {
        asked.push(`${action.kind} ${room.slice(0, 4)}`);
        return answer;
      },
    });
  });

  /** What becomes of an entry. */
  const submit = async (entry: Entry): Promise<string> => {
    const outcome = await community.submit(entry, { admit: admission.admit });
    return outcome.type === 'sealed' ? 'sealed' : outcome.code;
  };
  const make = (by: Member, name: string, change?: object): Promise<MadeRoom> =>
    makeRoom(community, by, name, change);
  const locked = (name: string): Promise<LockedRoom> => makeLocked(community, alice, name);

  describe('of people', () => {
    it('keeps from a pair whom the other has blocked', async () => {
      const body = alice.epoch([alice, bob], 1, KEY);
      blocks.add(`${bob.account} ${alice.account}`);
      assert.equal(await submit(alice.write(pair, 'request', {})), 'BLOCKED');
      assert.equal(await submit(alice.write(pair, 'epoch', body)), 'BLOCKED');
      assert.equal(await submit(bob.write(pair, 'epoch', body)), 'sealed');
      blocks.clear();
      assert.equal(await submit(alice.write(pair, 'request', {})), 'sealed');
    });

    it('makes a contact of whose password has been proved, once', async () => {
      assert.equal(await submit(alice.write(pair, 'befriend', {})), 'BAD_PASSWORD');
      proofs.add(`${bob.id} ${alice.account}`);
      assert.equal(await submit(alice.write(pair, 'befriend', {})), 'BAD_PASSWORD');
      proofs.add(`${alice.id} ${bob.account}`);
      assert.equal(await submit(alice.write(pair, 'befriend', {})), 'sealed');
      assert.deepEqual([...proofs], [`${bob.id} ${alice.account}`]);
    });

    it('gives nobody a name that stands for something else', async () => {
      const keyring = Keyring.create(1, community.random);
      const create = (name: string): Entry =>
        root.write('space', 'createuser', {
          name,
          group: 'user',
          keyring: keyring.public,
          password: wrapForPassword(keyring, EXPORT, community.random),
        });
      const rename = (name: string): Entry =>
        root.write('space', 'updateuser', { account: bob.account, name });
      for (const name of ['everyone', 'ALL', '-x', 'o"o']) {
        assert.equal(await submit(create(name)), 'BAD_NAME', name);
        assert.equal(await submit(rename(name)), 'BAD_NAME', name);
        assert.equal(await submit(roomEntry(alice, name)), 'BAD_NAME', name);
        const { id } = await make(alice, `room${alice.next('space')}`);
        const update = alice.write('space', 'updateroom', { room: id, name });
        assert.equal(await submit(update), 'BAD_NAME', name);
      }
      assert.equal(await submit(create('dora')), 'sealed');
      assert.equal(await submit(rename('emil')), 'sealed');
      const display = { account: bob.account, display: 'everyone' };
      assert.equal(await submit(root.write('space', 'updateuser', display)), 'sealed');
    });

    it('takes codes until their time is over', async () => {
      const { clock } = community;
      const code = async (written: string, expires: number): Promise<void> => {
        const body = { purpose: 'elevate', group: 'helper', ...codeFacts(written, 9, expires) };
        await community.seal(root.write('space', 'code', body));
      };
      await code('LATE', clock.now() + 1_000);
      const elevate = (written: string): Entry =>
        bob.write('space', 'elevate', redeem(written, community.server.id, bob.id, 'space'));
      clock.pass(1_000);
      assert.equal(await submit(elevate('LATE')), 'sealed');
      clock.pass(1);
      assert.equal(await submit(elevate('LATE')), 'BAD_CODE');
      assert.equal(await submit(elevate('NONE')), 'BAD_CODE');
    });
  });

  describe('of rooms', () => {
    it('makes a bounded number of them for each account', async () => {
      for (let n = 0; n < MAX_ROOMS; n++) await make(alice, `a${n}`);
      assert.equal(await submit(roomEntry(alice, 'more')), 'RATE_LIMITED');
      assert.equal(await submit(roomEntry(bob, 'more')), 'sealed');
    });

    it('lets only those into a room who are in all encrypted ones above it', async () => {
      const { room: outer, lock } = await locked('outer');
      await community.seal(joinEntry(alice, outer, 'owner'));
      const middle = await make(alice, 'middle', { parent: outer.id });
      const own = newLock(community.random, 1, KEY);
      const inner = await make(alice, 'inner', {
        ...{ parent: middle.id, private: true, lock: own.keys },
      });
      assert.equal(await submit(joinEntry(bob, inner, own.keyring)), 'NOT_MEMBER');
      assert.equal(await submit(joinEntry(bob, middle, lock.keyring)), 'NOT_MEMBER');
      assert.equal(await submit(joinEntry(bob, outer, lock.keyring)), 'sealed');
      // Of the middle one nobody has to be a member: it is not private by itself.
      assert.equal(await submit(joinEntry(bob, inner, own.keyring)), 'sealed');
      assert.equal(await submit(joinEntry(bob, middle, lock.keyring)), 'sealed');
    });

    it('has rooms made in and moved into encrypted ones by their members only', async () => {
      const { room: outer, lock } = await locked('outer');
      await community.seal(joinEntry(alice, outer, 'owner'));
      const inside = (by: Member): Entry => roomEntry(by, 'inside', { parent: outer.id });
      const own = await make(bob, 'own', { private: true });
      const move = (): Entry =>
        bob.write('space', 'updateroom', { room: own.id, parent: outer.id });
      assert.equal(await submit(inside(bob)), 'NOT_MEMBER');
      assert.equal(await submit(move()), 'NOT_MEMBER');
      assert.equal(await submit(joinEntry(bob, outer, lock.keyring)), 'sealed');
      assert.equal(await submit(move()), 'sealed');
      assert.equal(await submit(inside(bob)), 'sealed');
      const open = await make(alice, 'open');
      assert.equal(await submit(roomEntry(bob, 'x', { parent: open.id })), 'sealed');
    });

    it('keeps out who is banned there or above, for as long as that is', async () => {
      const { clock } = community;
      const outer = await make(alice, 'outer');
      const inner = await make(alice, 'inner', { parent: outer.id });
      const join = (): Entry => bob.write('space', 'join', { room: inner.id });
      const ban = { account: bob.account, room: outer.id, until: clock.now() + 1_000 };
      await community.seal(alice.write('space', 'ban', ban));
      assert.equal(await submit(join()), 'BANNED');
      clock.pass(1_001);
      assert.equal(await submit(join()), 'sealed');
      await community.seal(alice.write('space', 'ban', { ...ban, until: 0 }));
      const say = (): Entry => bob.write(inner.stream, 'say', { text: 'x' });
      assert.equal(await submit(say()), 'BANNED');
      assert.equal(await submit(alice.write(inner.stream, 'say', { text: 'x' })), 'sealed');
      const lifted = { account: bob.account, room: outer.id };
      await community.seal(alice.write('space', 'unban', lifted));
      assert.equal(await submit(say()), 'sealed');
    });

    it('lets those leave an encrypted room who are banned there', async () => {
      const { room, lock } = await locked('vault');
      assert.equal(await submit(joinEntry(bob, room, lock.keyring)), 'sealed');
      const ban = { account: bob.account, room: room.id, until: 0 };
      await community.seal(alice.write('space', 'ban', ban));
      const epoch = bob.write(room.stream, 'epoch', bob.epoch([bob], 1, KEY));
      assert.equal(await submit(epoch), 'BANNED');
      assert.equal(await submit(bob.write(room.stream, 'leave', {})), 'sealed');
    });

    it('takes codes that let in until their time is over', async () => {
      const room = await make(alice, 'club', { private: true });
      await community.seal(joinEntry(alice, room, 'owner'));
      const expires = community.clock.now() + 1_000;
      await community.seal(alice.write(room.stream, 'code', codeFacts('IN', 9, expires)));
      community.clock.pass(1_000);
      assert.equal(await submit(joinEntry(bob, room, 'IN')), 'sealed');
      await community.seal(bob.write(room.stream, 'leave', {}));
      community.clock.pass(1);
      assert.equal(await submit(joinEntry(bob, room, 'IN')), 'BAD_CODE');
    });
  });

  describe('of locks', () => {
    it('has those of closed rooms changed by who is in them, and by their owners', async () => {
      const { room, lock } = await locked('vault');
      const helper = { name: 'user', add: ['renameRoom'], remove: [] };
      await community.seal(root.write('space', 'updategroup', helper));
      const change = (by: Member, keyring: Keyring, generation: number) => {
        const next = newLock(community.random, generation, EXPORT);
        const proof = proveChange(keyring, community.server.id, room.id, by.account);
        const body = { room: room.id, lock: next.keys, proof };
        return { entry: by.write('space', 'lock', body), keyring: next.keyring };
      };
      // Whoever knows the secret still, and has left.
      assert.equal(await submit(change(bob, lock.keyring, 2).entry), 'DENIED');
      assert.equal(await submit(joinEntry(bob, room, lock.keyring)), 'sealed');
      const second = change(bob, lock.keyring, 2);
      assert.equal(await submit(second.entry), 'sealed');
      assert.equal(await submit(bob.write(room.stream, 'leave', {})), 'sealed');
      assert.equal(await submit(change(bob, second.keyring, 3).entry), 'DENIED');
      assert.equal(await submit(change(alice, second.keyring, 3).entry), 'sealed');
    });
  });

  describe('of conferences', () => {
    it('asks those who know who takes part, and of nothing else', async () => {
      const conference = { lifetime: 'conference', private: true };
      const room = await make(alice, 'talk', conference);
      const den = await make(alice, 'den');
      const word = { by: { type: 'word' } };
      const about = (target: MadeRoom): Entry[] => [
        alice.write('space', 'updateroom', { room: target.id, name: 'other' }),
        alice.write('space', 'owner', { room: target.id, account: alice.account }),
        alice.write(target.stream, 'members', { add: [alice.account], remove: [] }),
        alice.write('space', 'removeroom', { room: target.id }),
      ];
      const short = room.id.slice(0, 4);
      await submit(alice.write(room.stream, 'join', word));
      for (const entry of about(room)) await submit(entry);
      assert.deepEqual(
        asked.splice(0),
        ['join', 'updateroom', 'owner', 'members', 'removeroom'].map((kind) => `${kind} ${short}`),
      );
      for (const entry of about(den)) await submit(entry);
      assert.deepEqual(asked, []);
    });

    it('refuses with what these say', async () => {
      const room = await make(alice, 'talk', { lifetime: 'conference', private: true });
      answer = 'NAME_CLASH';
      assert.equal(await submit(bob.write(room.stream, 'join', { by: { type: 'word' } })), answer);
      const second = roomEntry(bob, 'talk', { lifetime: 'conference', private: true });
      assert.equal(await submit(second), answer);
      assert.deepEqual(asked.splice(0), [
        `join ${room.id.slice(0, 4)}`,
        `room ${second.id.slice(0, 4)}`,
      ]);
      assert.equal(await submit(roomEntry(bob, 'den')), 'sealed');
    });
  });

  describe('of messages', () => {
    it('takes what is done about one only if it is there', async () => {
      const { id } = await community.say(alice, 'hi');
      const elsewhere = await community.seal(
        bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, KEY)),
      );
      const hidden = await community.seal(bob.sealed(pair, elsewhere.id, KEY, 'psst'));
      for (const target of [NONE, hidden.id, elsewhere.id])
        for (const [kind, body] of [
          ['edit', { text: 'x' }],
          ['remove', {}],
          ['react', { emoji: 'x', on: true }],
        ] as const)
          assert.equal(
            await submit(alice.write(LOBBY_STREAM, kind, { target, ...body })),
            'NO_SUCH_MESSAGE',
            kind,
          );
      const react = (): Entry =>
        bob.write(LOBBY_STREAM, 'react', { target: id, emoji: 'x', on: true });
      assert.equal(await submit(react()), 'sealed');
      await eraseBodies(community.log, LOBBY_STREAM, [0]);
      assert.equal(await submit(react()), 'NO_SUCH_MESSAGE');
    });

    it('takes what comes with the message that it is about', async () => {
      const at = (by: Member, kind: string, body: object): Entry =>
        by.write(LOBBY_STREAM, kind, body);
      const said = at(alice, 'say', { text: 'hi' });
      const about = { target: said.id };
      const outcomes = [
        said,
        at(alice, 'edit', { ...about, text: 'ho' }),
        at(bob, 'react', { ...about, emoji: 'x', on: true }),
        at(bob, 'edit', { ...about, text: 'no' }),
        at(bob, 'remove', about),
        at(alice, 'remove', about),
      ].map(submit);
      const expected = ['sealed', 'sealed', 'sealed', 'DENIED', 'DENIED', 'sealed'];
      assert.deepEqual(await Promise.all(outcomes), expected);
      assert.equal(community.of(LOBBY_STREAM).length, 1, 'in one commit');
    });

    it('refuses what was removed before it was sent, and what is done about it', async () => {
      const said = eraseBody(alice.write(LOBBY_STREAM, 'say', { text: 'never' }));
      const about = { target: said.id };
      const edit = eraseBody(alice.write(LOBBY_STREAM, 'edit', { ...about, text: 'more' }));
      const remove = alice.write(LOBBY_STREAM, 'remove', about);
      for (const entry of [said, edit, remove])
        assert.equal(await submit(entry), 'NO_SUCH_MESSAGE');
      assert.equal(await submit(alice.write(LOBBY_STREAM, 'say', { text: 'after' })), 'sealed');
    });

    it("changes one's own only, or any by permission", async () => {
      const { id: target } = await community.say(alice, 'hi');
      const edit = (by: Member, change: object = {}): Entry =>
        by.write(LOBBY_STREAM, 'edit', { target, text: 'ho', ...change });
      const remove = (by: Member, change: object = {}): Entry =>
        by.write(LOBBY_STREAM, 'remove', { target, ...change });
      const moderator = { moderator: true };
      for (const entry of [edit(bob), remove(bob), edit(root), remove(root)])
        assert.equal(await submit(entry), 'DENIED');
      assert.equal(await submit(edit(bob, moderator)), 'DENIED');
      assert.equal(await submit(edit(root, moderator)), 'sealed');
      const phone = await community.enrol(alice);
      assert.equal(await submit(edit(phone)), 'sealed');
      assert.equal(await submit(remove(alice)), 'sealed');
    });

    it('takes files up to the size that the group allows', async () => {
      const say = (size: number): Entry =>
        alice.write(LOBBY_STREAM, 'say', { text: '', file: { hash: KEY, size, name: 'x' } });
      assert.equal(await submit(say(DEFAULT_FILE_LIMIT)), 'sealed');
      assert.equal(await submit(say(DEFAULT_FILE_LIMIT + 1)), 'TOO_LARGE');
      const limit = { name: 'user', add: [], remove: [], fileLimit: 7 };
      await community.seal(root.write('space', 'updategroup', limit));
      assert.equal(await submit(say(8)), 'TOO_LARGE');
      assert.equal(await submit(say(7)), 'sealed');
      const epoch = await community.seal(
        alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)),
      );
      const sealed = (size: number): Entry =>
        alice.under(pair, 'sealed', epoch.id, KEY, { text: '' }, { blob: { hash: KEY, size } });
      assert.equal(await submit(sealed(8)), 'TOO_LARGE');
      assert.equal(await submit(sealed(7)), 'sealed');
    });
  });

  it('leaves the rest to the rules', async () => {
    const own = accountStream(alice.account);
    const block = { account: bob.account, blocked: true };
    assert.equal(await submit(alice.write(own, 'block', block)), 'sealed');
    const stranger = new Member(community.server.id, community.random, 'dora');
    assert.equal(await submit(stranger.signup()), 'sealed');
    assert.equal(await submit(alice.write('space', 'motd', { text: 'x' })), 'DENIED');
  });
});
