/**
 * Entries that claim what is not so: an author, an ownership, a right, a device or an account that
 * is no more. Neither the rules accept them, nor does a replica whose server has sealed them anyway.
 */
import assert from 'node:assert/strict';
import { verifyEntry, type Entry } from '../../lib/crdt/entry.ts';
import { Keyring } from '../../lib/crdt/keyring.ts';
import { judge } from '../../lib/crdt/rules.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';
import { ReplicaBench } from '../support/replicas.ts';
import {
  codeFacts,
  EXPORT,
  joinEntry,
  makeLocked,
  makeRoom,
  newLock,
  type MadeRoom,
} from '../support/rooms.ts';

const KEY = new Uint8Array(32).fill(1);

describe('forged entries', () => {
  let community: SealedCommunity;
  let root: Member;
  let alice: Member;
  let mallory: Member;
  let phone: Member;
  let gone: Member;
  let open: MadeRoom;
  let club: MadeRoom;
  let vault: MadeRoom;
  let pair: StreamName;
  let replica: ReplicaBench;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    root = await community.join('root');
    alice = await community.join('alice');
    mallory = await community.join('mallory');
    gone = await community.join('gone');
    await community.appoint(root, 'admin');
    open = await makeRoom(community, alice, 'open');
    club = await makeRoom(community, alice, 'club', { private: true });
    ({ room: vault } = await makeLocked(community, alice, 'vault'));
    for (const room of [club, vault]) await community.seal(joinEntry(alice, room, 'owner'));
    await community.seal(alice.write(club.stream, 'epoch', alice.epoch([alice], 1, KEY)));
    pair = pairStream(root.account, alice.account);
    await community.seal(root.write(pair, 'epoch', root.epoch([root, alice], 1, KEY)));
    await community.seal(
      alice.write('space', 'code', { purpose: 'signup', group: 'user', ...codeFacts('IN', 9) }),
    );
    // A device that was mallory's, and an account that is no more.
    phone = await community.rotate(mallory);
    const end = { account: gone.account, vengeance: false };
    await community.seal(root.write('space', 'removeuser', end));
    replica = await ReplicaBench.open(community, alice);
    await replica.follow(community.batches);
  });

  const account = (member: Member): object => ({ account: member.account });
  const target = 'ab'.repeat(32);
  const epochOf = (stream: StreamName): string =>
    replica.replica.log.opened(stream)!.state.get<string>('epochs', 'current')!;

  /** What is forged, by what it is. */
  const forgeries: Record<string, () => Entry[]> = {
    'of an owner': () => [
      mallory.forge('space', 'owner', { room: open.id, ...account(mallory) }),
      mallory.forge('space', 'owner', { room: vault.id, ...account(mallory) }),
      root.forge('space', 'owner', { room: open.id, ...account(root) }),
      mallory.forge(club.stream, 'join', { by: { type: 'owner' } }),
      mallory.forge(vault.stream, 'join', { by: { type: 'owner' } }),
      mallory.forge('space', 'updateroom', { room: open.id, name: 'mine' }),
      mallory.forge('space', 'removeroom', { room: open.id }),
      mallory.forge('space', 'lock', {
        room: vault.id,
        lock: newLock(community.random, 2, EXPORT).keys,
      }),
      mallory.forge('space', 'retire', { room: vault.id }),
      mallory.forge('space', 'ban', { ...account(alice), room: open.id, until: 0 }),
      mallory.forge('space', 'expel', { ...account(alice), room: open.id }),
      mallory.forge('space', 'suppress', { ...account(alice), room: open.id, on: true }),
    ],
    'of a member': () => [
      mallory.forge(open.stream, 'say', { text: 'x' }),
      mallory.forge(club.stream, 'sealed', { epoch: epochOf(club.stream), box: KEY }),
      mallory.forge(club.stream, 'members', { add: [mallory.account], remove: [] }),
      mallory.forge(club.stream, 'epoch', mallory.epoch([mallory], 2, KEY)),
      mallory.forge(club.stream, 'epoch', mallory.epoch([alice], 2, KEY)),
      mallory.forge(club.stream, 'code', codeFacts('MINE')),
      mallory.forge(club.stream, 'join', { by: { type: 'word' } }),
      joinEntry(mallory, vault, newLock(community.random, 1, EXPORT).keyring),
      mallory.forge(pair, 'sealed', { epoch: epochOf(pair), box: KEY }),
      mallory.forge(pair, 'request', {}),
      mallory.forge(`account/${alice.account}`, 'block', { ...account(root), blocked: true }),
    ],
    'of an administrator': () => [
      mallory.forge('space', 'setgroup', { ...account(mallory), group: 'admin' }),
      mallory.forge('space', 'setgroup', { ...account(root), group: 'user' }),
      mallory.forge('space', 'creategroup', { name: 'mine', level: 0 }),
      mallory.forge('space', 'updategroup', { name: 'user', add: ['removeUser'], remove: [] }),
      mallory.forge('space', 'removegroup', { name: 'helper' }),
      mallory.forge('space', 'updateuser', { ...account(alice), name: 'nobody' }),
      mallory.forge('space', 'removeuser', { ...account(alice), vengeance: true }),
      mallory.forge('space', 'code', { purpose: 'elevate', group: 'user', ...codeFacts('UP') }),
      mallory.forge('space', 'elevate', {
        verifier: codeFacts('IN').verifier,
        proof: new Uint8Array(64),
      }),
      mallory.forge('space', 'reset', { ...account(alice), verifier: KEY }),
      mallory.forge('space', 'renameserver', { name: 'mine' }),
      mallory.forge('space', 'motd', { text: 'mine' }),
      mallory.forge('space', 'ban', { ...account(alice), until: 0 }),
      mallory.forge('space', 'suppress', { ...account(alice), on: true }),
      mallory.forge(open.stream, 'edit', { target, text: 'x', moderator: true }),
      mallory.forge(LOBBY_STREAM, 'remove', { target, moderator: true }),
    ],
    'of a device for an account that is not its own': () => {
      const stranger = mallory.device();
      stranger.account = alice.account;
      const own = mallory.device();
      own.keyring = Keyring.create(1, community.random);
      return [stranger.enrolment(), own.enrolment(), mallory.forge('space', 'device', {})];
    },
    'by a device that was shut out': () => [
      phone.forge(LOBBY_STREAM, 'say', { text: 'x' }),
      phone.forge('space', 'updateuser', { ...account(mallory), name: 'back' }),
      phone.forge('space', 'room', { name: 'mine', private: false }),
      phone.device().enrolment({ generation: 1 }),
    ],
    'by an account that is no more': () => [
      gone.forge(LOBBY_STREAM, 'say', { text: 'x' }),
      gone.forge('space', 'room', { name: 'mine', private: false }),
      gone.forge('space', 'join', { room: open.id }),
      gone.forge(club.stream, 'join', { by: { type: 'owner' } }),
      gone.device().enrolment(),
    ],
    'of the server': () => {
      const told = { call: 'c'.repeat(32), seconds: 1, people: 2 };
      const two = { ...told, outcome: 'missed', caller: root.account };
      const stranger = mallory.device();
      return [
        mallory.forge(LOBBY_STREAM, 'call', { ...told, outcome: 'ended' }),
        alice.forge(open.stream, 'call', { ...told, outcome: 'ended' }),
        alice.forge(club.stream, 'call', { ...told, outcome: 'ended' }),
        root.forge(pair, 'call', two),
        alice.forge(pair, 'call', { ...two, caller: alice.account }),
        stranger.forge(LOBBY_STREAM, 'call', { ...told, outcome: 'ended' }),
      ];
    },
    'by the server': () => {
      const { server } = community;
      return [
        server.forge(LOBBY_STREAM, 'say', { text: 'x' }),
        server.forge('space', 'setgroup', { ...account(mallory), group: 'admin' }),
        server.forge('space', 'removeroom', { room: open.id }),
        server.forge('space', 'owner', { room: open.id, ...account(mallory) }),
        server.forge('space', 'removeuser', { ...account(alice), vengeance: true }),
        server.forge(club.stream, 'members', { add: [mallory.account], remove: [] }),
        server.forge(club.stream, 'members', { add: [], remove: [alice.account] }),
        server.forge(LOBBY_STREAM, 'remove', { target, moderator: true }),
      ];
    },
  };

  /** A batch with which a stream goes on, sealed by a server that judges nothing. */
  const sealed = (entry: Entry): { seal: Uint8Array; items: Uint8Array[] } => {
    const last = community.of(entry.stream).at(-1);
    const next =
      last === undefined
        ? {}
        : {
            seq: last.seal.seq + 1,
            first: last.seal.first + last.seal.count,
            previous: last.seal.id,
          };
    return wireOf(community.unjudged([entry], next));
  };
  const stateOf = async (stream: StreamName): Promise<[string, string, unknown][]> => {
    const { state } = await replica.replica.log.open(stream);
    return [...state.records()]
      .filter(({ table }) => table !== 'head' && table !== 'clock')
      .map(({ table, id, value }): [string, string, unknown] => [table, id, value]);
  };

  for (const [what, forge] of Object.entries(forgeries)) {
    it(`${what} are refused by the rules`, async () => {
      const { state: space } = await community.log.open('space');
      for (const entry of forge()) {
        const { state, head } = await community.log.open(entry.stream);
        const standing = {
          ...{ space, stream: state, position: head.length, hindsight: false },
          now: community.clock.now(),
        };
        const verdict = judge(entry, standing);
        const where = `${entry.kind} in ${entry.stream}`;
        assert.ok(verdict.type !== 'accepted', where);
        // For what it claims, and not for its form.
        const form = ['WAITING', 'OUT_OF_ORDER', 'BAD_ENTRY'];
        assert.ok(!form.includes(verdict.code), `${where}: ${verdict.code}`);
      }
    });

    it(`${what} are void where a server has sealed them`, async () => {
      for (const entry of forge()) {
        const { stream } = entry;
        const where = `${entry.kind} in ${stream}`;
        const before = await stateOf(stream);
        const { length } = replica.replica.log.headOf(stream);
        const { seal, items } = sealed(entry);
        assert.equal((await replica.replica.ingest(seal, items)).result, 'added', where);
        assert.ok(replica.replica.isVoid(stream, length), where);
        assert.deepEqual(await stateOf(stream), before, where);
        // The next one takes its place.
        replica = await ReplicaBench.open(community, alice);
        await replica.follow(community.batches);
      }
    });
  }

  it('in the name of somebody else are told by their signatures', async () => {
    const claimed = mallory.forge(LOBBY_STREAM, 'say', { text: 'x' });
    // The same, but that the author is another.
    const headerBytes = Uint8Array.from(claimed.headerBytes);
    const at = Buffer.from(headerBytes).indexOf(Buffer.from(mallory.id, 'hex'));
    assert.ok(at > 0);
    headerBytes.set(Buffer.from(root.id, 'hex'), at);
    const forged: Entry = { ...claimed, device: root.id, headerBytes };
    assert.ok(verifyEntry(claimed));
    assert.ok(!verifyEntry(forged));
    const batch = wireOf(community.unjudged([forged]));
    await assert.rejects(replica.replica.ingest(batch.seal, batch.items), { code: 'BAD_ENTRY' });
    assert.equal(replica.replica.log.headOf(LOBBY_STREAM).length, 0);
  });

  it('for another server are told by whom they name', async () => {
    const foreign = alice.forge(LOBBY_STREAM, 'say', { text: 'x' }, { server: mallory.id });
    const batch = wireOf(community.unjudged([foreign]));
    await assert.rejects(replica.replica.ingest(batch.seal, batch.items), { code: 'BAD_ENTRY' });
  });
});
