import assert from 'node:assert/strict';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { encode } from '../../../lib/crdt/codec.ts';
import { openSeal } from '../../../lib/crdt/seal.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { Snapshots, type SnapshotPage } from '../../../lib/node/server/snapshots.ts';
import { MAX_FRAME } from '../../../lib/node/channel.ts';
import { SealedCommunity, TestClock, type Member } from '../../support/community.ts';
import { ReplicaBench } from '../../support/replicas.ts';

describe('snapshots', () => {
  let community: SealedCommunity;
  let alice: Member;
  let clock: TestClock;
  let snapshots: Snapshots;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    clock = new TestClock();
    snapshots = new Snapshots(community.log, clock.monotonic);
  });

  const pagesOf = async (stream: StreamName): Promise<SnapshotPage[]> => {
    const first = await snapshots.page(stream, 0, undefined);
    const pages = [first];
    for (let page = 1; page < first.pages; page++)
      pages.push(await snapshots.page(stream, page, first.at));
    return pages;
  };
  const adopt = async (pages: SnapshotPage[]): Promise<ReplicaBench> => {
    const bench = await ReplicaBench.open(community, alice);
    const records = pages
      .flatMap((page) => page.records)
      .map(([table, id, value]) => ({ table, id, value }));
    await bench.replica.adopt(pages[0]!.seal, records);
    return bench;
  };

  it('give a state as it was sealed', async () => {
    await community.say(alice, 'hi');
    const [page, ...more] = await pagesOf(LOBBY_STREAM);
    assert.deepEqual([page!.at, page!.pages, more.length], [1, 1, 0]);
    const { seal } = community.of(LOBBY_STREAM)[0]!;
    assert.equal(openSeal(page!.seal, community.server.id).id, seal.id);
    const bench = await adopt([page!]);
    assert.equal(bench.replica.log.headOf(LOBBY_STREAM).length, 1);
  });

  it('of a large state come in pages that fit into frames', async () => {
    const { state } = await community.log.open('space');
    // 2,000 people, each with a device, in one batch of the state.
    const account = state.get('account', alice.account);
    const device = state.get('device', alice.id);
    const changes = Array.from({ length: 2_000 }, (_, n) => [
      { table: 'account', id: n.toString(16).padStart(32, '0'), value: account },
      { table: 'device', id: n.toString(16).padStart(64, '0'), value: device },
    ]).flat();
    state.apply(changes);
    // Another entry, so that a seal has this state's hash.
    state.hash();
    await community.join('bob');
    const pages = await pagesOf('space');
    assert.ok(pages.length >= 4, `${pages.length} pages`);
    for (const page of pages) {
      const size = encode([1, 2 ** 40, { ...page }]).length;
      assert.ok(size < MAX_FRAME / 2, `${size} bytes`);
    }
    const bench = await adopt(pages);
    const { state: adopted } = await bench.replica.log.open('space');
    assert.equal(toHex(adopted.rehash()), toHex(state.hash()));
  });

  it('stay as they were begun, though the stream goes on', async () => {
    await community.say(alice, 'one');
    const first = await snapshots.page(LOBBY_STREAM, 0, undefined);
    await community.say(alice, 'two');
    const same = await snapshots.page(LOBBY_STREAM, 0, first.at);
    assert.deepEqual(same, first);
    // And serve whoever comes next, while they are not too old.
    assert.equal((await snapshots.page(LOBBY_STREAM, 0, undefined)).at, 1);
    await adopt([first]);
  });

  it('are made anew once the stream has gone on for long enough', async () => {
    await community.say(alice, 'one');
    const old = await snapshots.page(LOBBY_STREAM, 0, undefined);
    await Promise.all(Array.from({ length: 512 }, (_, n) => community.say(alice, `${n}`)));
    const fresh = await snapshots.page(LOBBY_STREAM, 0, undefined);
    assert.deepEqual([old.at, fresh.at], [1, 513]);
    assert.equal((await snapshots.page(LOBBY_STREAM, 0, 1)).at, 1);
    await adopt([fresh]);
  });

  it('are let go after a while', async () => {
    await community.say(alice, 'one');
    await snapshots.page(LOBBY_STREAM, 0, undefined);
    await community.say(alice, 'two');
    clock.pass(60_001);
    assert.equal((await snapshots.page(LOBBY_STREAM, 0, undefined)).at, 2);
    await assert.rejects(snapshots.page(LOBBY_STREAM, 0, 1), { code: 'STALE' });
  });

  describe('are kept', () => {
    /** Streams that have something, and whose it is. */
    const streams: StreamName[] = [];
    beforeEach(async () => {
      streams.length = 0;
      for (let n = 0; n < 12; n++) {
        const member = await community.join(`user${n}`);
        const stream = `account/${member.account}` as const;
        const block = { account: alice.account, blocked: true };
        await community.submit(member.write(stream, 'block', block));
        streams.push(stream);
      }
    });
    const kept = async (user: string): Promise<number> => {
      const pages = streams.map((stream) => snapshots.page(stream, 0, 1, user));
      return (await Promise.allSettled(pages)).filter(({ status }) => status === 'fulfilled')
        .length;
    };

    it('in bounded number for each device', async () => {
      for (const stream of streams) await snapshots.page(stream, 0, undefined, 'eve');
      assert.equal(await kept('eve'), 8);
    });

    it('for those who are in the midst of them, whatever others ask for', async () => {
      const { at } = await snapshots.page('space', 0, undefined, 'bob');
      await snapshots.page(streams[0]!, 0, undefined, 'bob');
      for (let round = 0; round < 10; round++)
        for (const stream of streams) await snapshots.page(stream, 0, undefined, 'eve');
      await snapshots.page('space', 0, at, 'bob');
      await snapshots.page(streams[0]!, 0, 1, 'bob');
    });

    it('while they are asked for, and then no longer', async () => {
      const { at } = await snapshots.page('space', 0, undefined, 'bob');
      await community.join('another');
      for (let round = 0; round < 5; round++) {
        clock.pass(50_000);
        await snapshots.page(streams[0]!, 0, undefined, 'eve');
        await snapshots.page('space', 0, at, 'bob');
      }
      clock.pass(60_001);
      await snapshots.page(streams[0]!, 0, undefined, 'eve');
      await assert.rejects(snapshots.page('space', 0, at, 'bob'), { code: 'STALE' });
    });

    it('in bounded size, at the cost of who makes most be kept', async () => {
      const one = new Snapshots(community.log, clock.monotonic);
      await one.page(streams[0]!, 0, undefined);
      snapshots = new Snapshots(community.log, clock.monotonic, 5 * one.bytes);
      await snapshots.page(streams[0]!, 0, undefined, 'bob');
      for (const stream of streams.slice(1, 9)) await snapshots.page(stream, 0, undefined, 'eve');
      assert.ok(snapshots.bytes <= 5 * one.bytes);
      await snapshots.page(streams[0]!, 0, 1, 'bob');
      assert.equal(await kept('eve'), 5);
      // One that is larger than all is given all the same.
      const { at } = await snapshots.page('space', 0, undefined, 'eve');
      await snapshots.page('space', 0, at, 'eve');
      await snapshots.page(streams[0]!, 0, 1, 'bob');
    });
  });

  it('are refused where there is nothing, or no such page', async () => {
    await assert.rejects(snapshots.page(roomStream('0'.repeat(32)), 0, undefined), {
      code: 'NO_SUCH_ROOM',
    });
    const { at, pages } = await snapshots.page('space', 0, undefined);
    for (const page of [pages, -1, 1.5, 1e9])
      await assert.rejects(snapshots.page('space', page, at), { code: 'STALE' });
    await assert.rejects(snapshots.page('space', 0, at + 1), { code: 'STALE' });
  });
});
