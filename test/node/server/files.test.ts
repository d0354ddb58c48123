import assert from 'node:assert/strict';
import type { FileReference } from '../../../lib/crdt/bodies.ts';
import type { Entry } from '../../../lib/crdt/entry.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import { DEFAULT_FILE_LIMIT } from '../../../lib/crdt/rights.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { Manifest, toBlobHash, type BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { Directory } from '../../../lib/node/server/directory.ts';
import { ServerFiles } from '../../../lib/node/server/files.ts';
import { MAX_PEERS } from '../../../lib/node/wire.ts';
import { cut } from '../blobs/stage.ts';
import { eventually, turns } from '../../support/channels.ts';
import { TestClock } from '../../support/community.ts';
import { fileContent, fileStage, holds, type FileClient } from '../../support/file-stage.ts';
import type { Peer } from '../../support/roles.ts';
import { fakeClock } from '../../support/time.ts';

const REFUSED = { code: 'NO_SUCH_FILE' };
const SIZE = 2 * 256 * 1024 + 10;

describe('files at the server', function () {
  this.timeout(30_000);
  const stage = fileStage();
  let alice: FileClient;

  beforeEach(async () => {
    alice = await stage.join('alice');
  });

  /** Somebody who speaks the protocols by hand. */
  const member = async (name: string): Promise<Peer> => {
    const peer = await stage.world.member(name);
    await peer.open();
    return peer;
  };
  const have = async (from: Peer | FileClient['test'], hash: BlobHash): Promise<unknown> =>
    (await stage.channel(from)).call('have', { hash });
  const admin = async (body: object, kind: string): Promise<void> => {
    const { home } = alice.test;
    const entry = await home.conversations.act('space', kind, body);
    assert.equal(await home.outbox.answer(entry.id), 'held');
  };

  describe('are given', () => {
    it('to those who may read a message that names them', async () => {
      const [bob, carol] = [await stage.join('bob'), await stage.join('carol')];
      const stranger = await stage.world.peer('stranger');
      const room = await stage.closedRoom(alice, bob);
      const open = await alice.send(fileContent(SIZE, 1));
      const pair = await alice.send(fileContent(SIZE, 2), alice.pairWith(bob));
      const closed = await alice.send(fileContent(SIZE, 3), roomStream(room));
      for (const { file } of [open, pair, closed]) {
        const hash = toBlobHash(file.hash);
        await have(alice.test, hash);
        await have(bob.test, hash);
        await assert.rejects(have(stranger, hash), REFUSED);
        if (file === open.file) await have(carol.test, hash);
        else await assert.rejects(have(carol.test, hash), REFUSED);
      }
      await assert.rejects(have(alice.test, toBlobHash(fileContent(32))), REFUSED);
      // Who has been put out of a room gets nothing of it any more.
      await alice.test.client.rooms.putOut(room, bob.test.home.account);
      await assert.rejects(have(bob.test, toBlobHash(closed.file.hash)), REFUSED);
      await have(bob.test, toBlobHash(pair.file.hash));
    });

    it('to nobody who is banned or removed', async () => {
      await stage.world.server.crown('alice');
      const { file } = await alice.send(fileContent(SIZE));
      const hash = toBlobHash(file.hash);
      const [bob, carol] = [await member('bob'), await member('carol')];
      for (const peer of [bob, carol]) await have(peer, hash);
      await admin({ account: bob.member.account, until: 0 }, 'ban');
      await assert.rejects(have(bob, hash), REFUSED);
      await admin({ account: bob.member.account }, 'unban');
      await have(bob, hash);
      await admin({ account: carol.member.account, vengeance: false }, 'removeuser');
      await assert.rejects(have(carol, hash), REFUSED);
    });

    it('to nobody who only repeats their names elsewhere', async () => {
      const [bob, carol] = [await member('bob'), await stage.join('carol')];
      const sent = await alice.send(fileContent(SIZE), alice.pairWith(carol));
      const hash = toBlobHash(sent.file.hash);
      const manifest = (await stage.server.manifest(hash))!;
      const file = { hash: sent.file.hash, size: manifest.size, name: 'plan.pdf' };
      const repeated = bob.member.write(LOBBY_STREAM, 'say', { text: '', file });
      assert.deepEqual(await bob.submit(repeated), ['sealed']);
      await assert.rejects(have(bob, hash), REFUSED);
      const begin = (await stage.channel(bob)).call('begin', { manifest: manifest.bytes });
      await assert.rejects(begin, { code: 'NO_SUCH_MESSAGE' });
      await have(carol.test, hash);
      // Nor does that keep them.
      const { home } = alice.test;
      const removal = await home.conversations.act(sent.entry.stream, 'remove', {
        target: sent.entry.id,
      });
      assert.equal(await home.outbox.answer(removal.id), 'held');
      await eventually('it is erased', () => !holds(stage.server, sent.file));
    });

    it('as long as a message names them', async () => {
      const bob = await member('bob');
      const { file, entry } = await alice.send(fileContent(SIZE));
      const hash = toBlobHash(file.hash);
      await have(bob, hash);
      const { home } = alice.test;
      const removal = await home.conversations.act(LOBBY_STREAM, 'remove', { target: entry.id });
      assert.equal(await home.outbox.answer(removal.id), 'held');
      await eventually('it is erased', () => !holds(stage.server, file));
      await assert.rejects(have(bob, hash), REFUSED);
    });
  });

  describe('are taken', () => {
    const blob = cut(fileContent(SIZE));
    const { manifest, chunks } = blob;
    const named = (size = SIZE, of = manifest): FileReference => ({
      hash: Uint8Array.from(Buffer.from(of.hash, 'hex')),
      size,
      name: 'plan.pdf',
    });
    const say = ({ member: by }: Peer, file: FileReference, stream = LOBBY_STREAM): Entry =>
      by.write(stream, 'say', { text: '', file });
    const begin = async (by: Peer, of = manifest): Promise<unknown> =>
      (await stage.channel(by)).call('begin', { manifest: of.bytes });

    it('from those who have said a message that names them', async () => {
      const bob = await member('bob');
      await assert.rejects(begin(bob), { code: 'NO_SUCH_MESSAGE' });
      assert.deepEqual(await bob.submit(say(bob, named())), ['sealed']);
      const exchange = await stage.channel(bob);
      const { hash } = manifest;
      await exchange.call('begin', { manifest: manifest.bytes });
      for (const [index, chunk] of chunks.entries())
        await exchange.call('put', { hash, index, chunk });
      await exchange.call('done', { hash });
      assert.ok(stage.server.has(hash));
    });

    it('from others who may read it, too, and from nobody else', async () => {
      const bob = await stage.join('bob');
      const carol = await member('carol');
      const sent = await alice.send(fileContent(SIZE), alice.pairWith(bob));
      const hash = toBlobHash(sent.file.hash);
      const sealed = (await stage.server.manifest(hash))!;
      await stage.server.delete(hash);
      await (await stage.channel(bob.test)).call('begin', { manifest: sealed.bytes });
      await assert.rejects(begin(carol, sealed), { code: 'NO_SUCH_MESSAGE' });
      await assert.rejects(begin(await stage.world.peer('stranger'), sealed), { code: 'DENIED' });
    });

    it('no larger than the message says', async () => {
      const bob = await member('bob');
      const large = cut(fileContent(SIZE + 300, 2)).manifest;
      assert.deepEqual(await bob.submit(say(bob, named(SIZE, large))), ['sealed']);
      await assert.rejects(begin(bob, large), { code: 'TOO_LARGE' });
      assert.deepEqual(stage.server.list(), []);
      // One of no bytes is a file all the same.
      const none = Manifest.of(LOBBY_STREAM, 0, []);
      assert.deepEqual(await bob.submit(say(bob, named(0, none))), ['sealed']);
      await begin(bob, none);
      assert.ok(stage.server.has(none.hash));
    });

    it('and no message that names more than the group may attach, wherever it is said', async () => {
      await stage.world.server.crown('alice');
      const bob = await stage.join('bob');
      const { home } = bob.test;
      const file = { ...named(DEFAULT_FILE_LIMIT + 1), key: fileContent(32) };
      const room = await stage.closedRoom(alice, bob);
      const says = async (stream: StreamName, size: number): Promise<string> => {
        const entry = await home.conversations.say(stream, { text: '', file: { ...file, size } });
        return home.outbox.answer(entry.id);
      };
      const places = [LOBBY_STREAM, roomStream(room), bob.pairWith(alice)];
      for (const stream of places) {
        assert.equal(await says(stream, DEFAULT_FILE_LIMIT + 1), 'TOO_LARGE');
        assert.equal(await says(stream, DEFAULT_FILE_LIMIT), 'held');
      }
      const group = { name: 'user', add: [], remove: [], fileLimit: 100 };
      await admin(group, 'updategroup');
      for (const stream of places) assert.equal(await says(stream, 101), 'TOO_LARGE');
    });
  });

  describe('may be had of others', () => {
    const peers = async (by: Peer | FileClient, hash: BlobHash) => {
      const session = by instanceof Object && 'session' in by ? by.session : by.test.client.session;
      return (await session.call('peers', { hash })).peers;
    };
    /** Somebody who can be reached there. */
    const reachable = async (name: string, ...addresses: string[]): Promise<Peer> => {
      const peer = await member(name);
      const own = addresses.length === 0 ? [peer.transport.address] : addresses;
      peer.session.notify('reachable', { addresses: own });
      await peer.session.call('ping', {});
      return peer;
    };

    it('who are there and may read of them, their authors first', async () => {
      const bob = await reachable('bob');
      const carol = await stage.join('carol');
      const { file } = await carol.send(fileContent(SIZE));
      const hash = toBlobHash(file.hash);
      const asked = await peers(alice, hash);
      assert.deepEqual(
        asked.map(({ device }) => device),
        [carol.device, bob.member.id],
      );
      assert.deepEqual(asked[1]?.addresses, [bob.transport.address]);
      // Nobody is told of their own device.
      assert.deepEqual(
        (await peers(bob, hash)).map(({ device }) => device),
        [carol.device, alice.device],
      );
      await bob.leave();
      await carol.stop();
      await eventually('both are gone', async () => (await peers(alice, hash)).length === 0);
    });

    it('and nobody is told who may not read of them', async () => {
      const bob = await stage.join('bob');
      const carol = await reachable('carol');
      const { file } = await alice.send(fileContent(SIZE), alice.pairWith(bob));
      const hash = toBlobHash(file.hash);
      assert.deepEqual(
        (await peers(bob, hash)).map(({ device }) => device),
        [alice.device],
      );
      await assert.rejects(peers(carol, hash), REFUSED);
      await assert.rejects(peers(bob, toBlobHash(fileContent(32))), REFUSED);
      const stranger = await stage.world.peer('stranger');
      await assert.rejects(peers(stranger, hash), { code: 'NOT_LOGGED_IN' });
    });

    it('and of nobody by whom one is blocked, or whom one blocks', async () => {
      const bob = await reachable('bob');
      const { file } = await alice.send(fileContent(SIZE));
      const hash = toBlobHash(file.hash);
      assert.equal((await peers(bob, hash)).length, 1);
      assert.deepEqual(await bob.submit(await blockOf(bob, true)), ['sealed']);
      assert.deepEqual([await peers(bob, hash), await peers(alice, hash)], [[], []]);
    });

    const blockOf = async ({ member: by }: Peer, blocked: boolean): Promise<Entry> =>
      by.write(`account/${by.account}`, 'block', { account: alice.test.home.account, blocked });

    it('at no address but those from which they have come', async () => {
      const { file } = await alice.send(fileContent(SIZE));
      const bob = await reachable('bob', '10.9.9.9:22', 'nonsense', '127.0.0.1:80', '10.0.0.1:1');
      const found = await peers(alice, toBlobHash(file.hash));
      assert.deepEqual(found, []);
      bob.session.notify('reachable', { addresses: ['10.9.9.9:22', bob.transport.address] });
      await bob.session.call('ping', {});
      const [one] = await peers(alice, toBlobHash(file.hash));
      assert.deepEqual(one?.addresses, [bob.transport.address]);
    });

    it('who are not too many', async () => {
      const { file } = await alice.send(fileContent(9));
      const guests = Array.from({ length: MAX_PEERS + 2 }, (_, i) => reachable(`guest${i}`));
      await Promise.all(guests);
      const found = await peers(await member('bob'), toBlobHash(file.hash));
      assert.equal(found.length, MAX_PEERS);
      assert.equal(found[0]?.device, alice.device);
    });
  });

  it('go after an hour where no message names them', async () => {
    const clock = new TestClock();
    const store = await stage.newStore(clock);
    const orphan = await store.add(LOBBY_STREAM, SIZE, only(fileContent(SIZE, 8)));
    const kept = await store.add(LOBBY_STREAM, SIZE, only(fileContent(SIZE)));
    await alice.attach(fileContent(SIZE));
    const log = new LogStore(stage.world.store);
    const directory = await Directory.open(log);
    const faults: unknown[] = [];
    const onFault = (error: unknown): unknown => faults.push(error);
    const time = fakeClock();
    const files = new ServerFiles({ log, directory, store, clock, onFault });
    clock.wall += 3_500_000;
    time.tick(600_000);
    time.uninstall();
    await turns(20);
    assert.ok(store.has(orphan.hash));
    const again = fakeClock();
    const others = new ServerFiles({ log, directory, store, clock, onFault });
    clock.wall += 200_000;
    again.tick(600_000);
    again.uninstall();
    await eventually('it is gone', () => !store.has(orphan.hash));
    assert.ok(store.has(kept.hash));
    for (const one of [files, others]) one.stop();
    assert.deepEqual(faults, []);
  });
});

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* cut(bytes).chunks;
}
