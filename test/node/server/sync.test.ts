import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { loadSeal } from '../../../lib/crdt/seal.ts';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  type StreamName,
} from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import { World, type Peer } from '../../support/roles.ts';

const KEY = new Uint8Array(32);

describe('replication from the server', () => {
  let world: World;
  let alice: Peer;
  let bob: Peer;
  let carol: Peer;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.member('alice');
    bob = await world.member('bob');
    carol = await world.member('carol');
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const open = (...peers: Peer[]): Promise<unknown> =>
    Promise.all(peers.map((peer) => peer.open()));
  const pushed = (peer: Peer): string[] =>
    peer.batches.map(({ seal }) => {
      const { stream, first, count } = loadSeal(seal);
      return `${stream} ${first}+${count}`;
    });
  /** A pair of two with its first key epoch. */
  const pairOf = async (one: Peer, other: Peer): Promise<StreamName> => {
    const stream = pairStream(one.member.account, other.member.account);
    const body = one.member.epoch([one.member, other.member], 1, KEY);
    assert.deepEqual(await one.submit(one.member.write(stream, 'epoch', body)), ['sealed']);
    return stream;
  };

  describe('begins', () => {
    it('for those who are logged in', async () => {
      const stranger = await world.peer();
      await assert.rejects(stranger.open(), { code: 'NOT_LOGGED_IN' });
      const { sync } = stranger;
      for (const call of [
        () => sync.call('fetch', { stream: 'space', from: 0 }),
        () => sync.call('fetchMany', { wants: [['space', 0]] }),
        () => sync.call('older', { stream: 'space', before: 5, least: 0 }),
        () => sync.call('snapshot', { stream: 'space', page: 0 }),
        () => sync.call('submit', { entries: [encodeEntry(stranger.member.signup())] }),
        () => sync.call('receipts', { ids: [] }),
      ])
        await assert.rejects(call(), { code: 'NOT_LOGGED_IN' });
      sync.notify('acks', { cursors: [['space', 1]] });
    });

    it('with how far the streams go that one may read', async () => {
      await open(alice);
      const pair = await pairOf(alice, bob);
      await alice.say('hi');
      await alice.block(carol);
      const own = accountStream(alice.member.account);
      assert.deepEqual(
        [...(await alice.open())].sort(),
        [
          ['space', 4],
          [LOBBY_STREAM, 1],
          [pair, 1],
          [own, 1],
        ].sort(),
      );
      assert.deepEqual(
        [...(await carol.open())].sort(),
        [
          ['space', 4],
          [LOBBY_STREAM, 1],
        ].sort(),
      );
    });

    it('anew over a newer connection, which the older one gives way to', async () => {
      await open(alice, bob);
      const first = bob.sync;
      await bob.open();
      await eventually('the first ends', () => first.ended);
      await alice.say('hi');
      await eventually('the second is told', () => bob.batches.length === 1);
    });
  });

  describe('pushes', () => {
    it('what is sealed to all who may read it, and to nobody else', async () => {
      await open(alice, bob, carol);
      const pair = await pairOf(alice, bob);
      await alice.block(carol);
      await alice.say('hi');
      const own = accountStream(alice.member.account);
      await eventually('all is pushed', () => alice.batches.length === 3);
      await eventually('all is pushed', () => bob.batches.length === 2);
      await eventually('all is pushed', () => carol.batches.length === 1);
      assert.deepEqual(pushed(alice), [`${pair} 0+1`, `${own} 0+1`, `${LOBBY_STREAM} 0+1`]);
      assert.deepEqual(pushed(bob), [`${pair} 0+1`, `${LOBBY_STREAM} 0+1`]);
      assert.deepEqual(pushed(carol), [`${LOBBY_STREAM} 0+1`]);
    });

    it('nothing more to who has logged out', async () => {
      await open(alice, bob);
      await bob.session.call('logout', {});
      await alice.say('hi');
      await eventually('it is sealed', () => alice.batches.length === 1);
      assert.deepEqual(await bob.submit().catch((error: unknown) => [codeOf(error)]), [
        'BAD_MESSAGE',
      ]);
      assert.deepEqual(await bob.say('x').catch((error: unknown) => [codeOf(error)]), [
        'NOT_LOGGED_IN',
      ]);
      assert.deepEqual(bob.batches, []);
    });

    it('to a slow device only how far things have got, and lets it fetch at its own pace', async function () {
      this.timeout(20_000);
      await open(alice, bob);
      // All that goes to bob takes its time, what comes from alice does not.
      world.network.weather = { delay: [250, 250], loss: 0, duplicate: 0, reorder: 0 };
      const text = 'x'.repeat(16_000);
      const entries = Array.from({ length: 150 }, (_, n) =>
        alice.member.write(LOBBY_STREAM, 'say', { text: `${n} ${text}` }),
      );
      const portions = [];
      for (let at = 0; at < entries.length; at += 15) portions.push(entries.slice(at, at + 15));
      const outcomes = await Promise.all(portions.map((portion) => alice.submit(...portion)));
      assert.ok(outcomes.flat().every((outcome) => outcome === 'sealed'));
      world.network.weather = { delay: [0, 1], loss: 0, duplicate: 0, reorder: 0 };
      await eventually('bob is told of the rest', () => bob.heads.length > 0);
      assert.ok(bob.batches.length < 10, `${bob.batches.length} were pushed all the same`);
      assert.deepEqual(bob.heads, [[LOBBY_STREAM, 150]]);
      assert.equal(bob.sync.ended, false);
      // He fetches what he lacks, and from then on is pushed to as before.
      let length = 0;
      const fetched = [...bob.batches];
      for (const { seal } of fetched)
        length = Math.max(length, loadSeal(seal).first + loadSeal(seal).count);
      while (length < 150) {
        const { batches } = await bob.sync.call('fetch', { stream: LOBBY_STREAM, from: length });
        assert.ok(batches.length > 0);
        const last = loadSeal(batches.at(-1)!.seal);
        length = last.first + last.count;
      }
      const before = bob.batches.length;
      await alice.say('again');
      await eventually('bob is pushed to', () => bob.batches.length === before + 1);
    });
  });

  describe('gives', () => {
    beforeEach(async () => {
      await open(alice, bob, carol);
      for (const text of ['one', 'two', 'three']) await alice.say(text);
    });

    it('what was sealed from a position on, or before one', async () => {
      const firsts = (list: { seal: Uint8Array }[]): number[] =>
        list.map(({ seal }) => loadSeal(seal).first);
      const stream = LOBBY_STREAM;
      const { sync } = bob;
      assert.deepEqual(firsts((await sync.call('fetch', { stream, from: 1 })).batches), [1, 2]);
      assert.deepEqual(firsts((await sync.call('fetch', { stream, from: 99 })).batches), []);
      const older = await sync.call('older', { stream, before: 2, least: 0 });
      assert.deepEqual(firsts(older.batches), [1, 0]);
      const { at, pages } = await sync.call('snapshot', { stream, page: 0 });
      assert.deepEqual([at, pages], [3, 1]);
      await assert.rejects(sync.call('snapshot', { stream, page: 7, at }), { code: 'STALE' });
    });

    it('what follows in many streams, as far as there is room', async () => {
      const pair = await pairOf(alice, bob);
      const firstsOf = async (wants: [StreamName, number][]): Promise<number[][]> => {
        const { portions } = await bob.sync.call('fetchMany', { wants });
        return portions.map((list) => list.map(({ seal }) => loadSeal(seal).first));
      };
      assert.deepEqual(
        await firstsOf([
          [LOBBY_STREAM, 1],
          [pair, 0],
          [LOBBY_STREAM, 99],
        ]),
        [[1, 2], [0], []],
      );
      // Nothing of what is not his to read.
      const others = await pairOf(alice, carol);
      assert.deepEqual(
        await firstsOf([
          [others, 0],
          [pair, 0],
        ]),
        [[], [0]],
      );
      const big = 'x'.repeat(15_000);
      for (let n = 0; n < 40; n++) await alice.say(`${n} ${big}`);
      const portions = await firstsOf([
        [LOBBY_STREAM, 3],
        [LOBBY_STREAM, 23],
        [pair, 0],
      ]);
      assert.ok(portions.length < 3, `${portions.length} portions`);
      assert.equal(portions[0]![0], 3);
      await assert.rejects(firstsOf(Array.from({ length: 65 }, () => [pair, 0])));
    });

    it('nothing of what one may not read', async () => {
      const pair = await pairOf(alice, bob);
      await alice.block(carol);
      const nobody = pairStream(carol.member.account, 'f'.repeat(32) as AccountId);
      const room = `room/${'0'.repeat(32)}` as const;
      for (const stream of [pair, accountStream(alice.member.account), room])
        for (const call of [
          () => carol.sync.call('fetch', { stream, from: 0 }),
          () => carol.sync.call('older', { stream, before: 9, least: 0 }),
          () => carol.sync.call('snapshot', { stream, page: 0 }),
        ])
          await assert.rejects(call(), { code: 'DENIED' });
      assert.deepEqual((await carol.sync.call('fetch', { stream: nobody, from: 0 })).batches, []);
      await assert.rejects(carol.sync.call('snapshot', { stream: nobody, page: 0 }), {
        code: 'NO_SUCH_ROOM',
      });
    });

    it('receipts of what one may read', async () => {
      const pair = await pairOf(alice, bob);
      const { member } = alice;
      const body = { epoch: (await lastEpoch(pair)) ?? '', box: new Uint8Array(20) };
      const message = member.write(pair, 'sealed', body);
      assert.deepEqual(await alice.submit(message), ['sealed']);
      const receipts = async (peer: Peer) =>
        (
          await peer.sync.call('receipts', {
            ids: [message.id, '0'.repeat(64) as typeof message.id],
          })
        ).receipts;
      assert.deepEqual(await receipts(alice), [[message.id, 0, 1, 0]]);
      assert.deepEqual(await receipts(carol), []);
      bob.sync.notify('acks', { cursors: [[pair, 2]] });
      carol.sync.notify('acks', { cursors: [[pair, 2]] });
      await eventually('alice is told', () => alice.receipts.length > 0);
      assert.deepEqual(alice.receipts, [[message.id, 1, 1, 0]]);
      assert.deepEqual(await receipts(bob), [[message.id, 1, 1, 0]]);
    });

    async function lastEpoch(stream: StreamName): Promise<string | undefined> {
      return (await world.log.open(stream)).state.get<string>('epochs', 'current');
    }
  });

  describe('takes', () => {
    beforeEach(() => open(alice, bob));

    it('entries of the device itself, rightly signed, for this server', async () => {
      const { member } = alice;
      const foreign = member.forge(LOBBY_STREAM, 'say', { text: 'x' }, { server: bob.member.id });
      const others = bob.member.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const good = member.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const forged = { ...good, signature: new Uint8Array(64) };
      assert.deepEqual(await alice.submit(foreign, others, forged, good), [
        'DENIED',
        'DENIED',
        'BAD_ENTRY',
        'sealed',
      ]);
      const entries = [new Uint8Array(300)];
      await assert.rejects(alice.sync.call('submit', { entries }), { code: 'BAD_ENTRY' });
      assert.deepEqual(await alice.submit(good), ['sealed']);
    });

    it('them in the order in which they came, over many requests at once', async () => {
      const entries = Array.from({ length: 200 }, (_, n) =>
        alice.member.write(LOBBY_STREAM, 'say', { text: `${n}` }),
      );
      const requests = [];
      for (let at = 0; at < 200; at += 10)
        requests.push(alice.submit(...entries.slice(at, at + 10)));
      assert.ok((await Promise.all(requests)).flat().every((outcome) => outcome === 'sealed'));
    });

    it('so many of one account at once, and then so many a second', async function () {
      this.timeout(10_000);
      const entries = Array.from({ length: 500 }, (_, n) =>
        alice.member.write(LOBBY_STREAM, 'say', { text: `${n}` }),
      );
      const began = performance.now();
      for (let at = 0; at < 400; at += 50) await alice.submit(...entries.slice(at, at + 50));
      const burst = performance.now() - began;
      for (let at = 400; at < 500; at += 50) await alice.submit(...entries.slice(at, at + 50));
      const all = performance.now() - began;
      // 400 at once, and 200 a second meanwhile.
      assert.ok(all >= ((500 - 400) / 200) * 1_000 - 20, `${all} ms`);
      assert.ok(burst < all);
      // Others are not held up.
      const other = performance.now();
      assert.deepEqual(await bob.say('me'), ['sealed']);
      assert.ok(performance.now() - other < 400);
    });

    it('nothing for somebody who has blocked the author, not even a key', async () => {
      await bob.block(alice);
      const pair = pairStream(alice.member.account, bob.member.account);
      const { member } = alice;
      const epoch = member.write(pair, 'epoch', member.epoch([member, bob.member], 1, KEY));
      const message = member.sealed(pair, epoch.id, KEY, 'hi');
      assert.deepEqual(await alice.submit(epoch, message), ['BLOCKED', 'BLOCKED']);
      // The other way it goes: a block has one direction.
      const own = bob.member.write(pair, 'epoch', bob.member.epoch([member, bob.member], 1, KEY));
      assert.deepEqual(await bob.submit(own), ['sealed']);
      await bob.block(alice, false);
      assert.deepEqual(await alice.submit(member.sealed(pair, own.id, KEY, 'hi')), ['sealed']);
    });

    it('the same entry as often as it comes, with the same answer', async () => {
      const entry = alice.member.write(LOBBY_STREAM, 'say', { text: 'x' });
      assert.deepEqual(await alice.submit(entry, entry), ['sealed', 'sealed']);
      await alice.open();
      assert.deepEqual(await alice.submit(entry), ['sealed']);
      assert.equal(world.log.headOf(LOBBY_STREAM).length, 1);
    });
  });
});
