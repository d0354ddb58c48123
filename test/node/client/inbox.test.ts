import assert from 'node:assert/strict';
import type { Batch } from '../../../lib/crdt/seal.ts';
import { accountStream, LOBBY_STREAM, pairStream } from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import { SealedCommunity, wireOf, type Member } from '../../support/community.ts';
import { InboxBench, ReplicaBench, snapshotOf } from '../../support/replicas.ts';

const KEY = new Uint8Array(32);

describe('the inbox', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let bench: ReplicaBench;
  let news: InboxBench;

  /** A device, with the space. */
  const enter = async (device: Member): Promise<void> => {
    bench = await ReplicaBench.open(community, device);
    news = await InboxBench.open(bench);
    await bench.follow(community.of('space'));
  };
  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    await enter(alice);
  });
  afterEach(async () => {
    await news.inbox.settled();
    assert.deepEqual(news.faults, []);
  });

  const say = async (...texts: string[]): Promise<void> => {
    for (const text of texts) await community.say(bob, text);
  };
  const lobby = (): Batch[] => community.of(LOBBY_STREAM);
  const restart = async (): Promise<void> => {
    await news.inbox.settled();
    await bench.restart();
    news = await InboxBench.open(bench);
  };
  /** The lobby comes as a snapshot, with none of its messages. */
  const bridge = async (): Promise<void> => {
    const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
    await bench.replica.adopt(seal, records);
  };
  const older = (...batches: Batch[]): Promise<unknown> =>
    bench.replica.ingestOlder(LOBBY_STREAM, batches.toReversed().map(wireOf));

  describe('tells what comes in', () => {
    it('once, in order', async () => {
      await say('one', 'two');
      await bench.follow(lobby());
      assert.deepEqual(news.heard, ['one', 'two']);
      await bench.ingest(lobby()[0]!);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['one', 'two']);
    });

    it('batch by batch, each message of it', async () => {
      const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
      await Promise.all(texts.map((text) => say(text)));
      assert.equal(lobby().length, 1);
      await bench.follow(lobby());
      assert.deepEqual(news.heard, texts);
    });

    it('but not what this very device wrote', async () => {
      const phone = await community.enrol(alice);
      await bench.follow(community.of('space').slice(-1));
      await community.say(alice, 'from here');
      await community.say(phone, 'from my phone');
      await bench.follow(lobby());
      assert.deepEqual(news.heard, ['from my phone']);
    });

    it('but nothing that is no message', async () => {
      const pair = pairStream(alice.account, bob.account);
      const epoch = await community.seal(bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, KEY)));
      await community.seal(bob.sealed(pair, epoch.id, KEY, 'secret'));
      const own = accountStream(alice.account);
      const phone = await community.enrol(alice);
      const block = { account: bob.account, blocked: true };
      await community.seal(phone.write(own, 'block', block));
      await bench.follow(community.of('space').slice(-1));
      await bench.follow([...community.of(pair), ...community.of(own)]);
      assert.deepEqual(news.heard, ['sealed 2']);
      assert.deepEqual([news.inbox.cursor(pair), news.inbox.cursor(own)], [2, 1]);
    });

    it('but nothing that was refused', async () => {
      await say('one');
      const refused = bob.write(LOBBY_STREAM, 'say', { text: 'two' });
      const outcome = await community.submit(refused, { admit: () => 'BLOCKED' });
      assert.equal(outcome.type, 'refused');
      await say('three');
      await bench.follow(lobby());
      assert.deepEqual(news.heard, ['one', 'three']);
    });

    it('but nothing that the rules forbid, though it was sealed', async () => {
      await community.seal(
        community.server.write('space', 'setgroup', { account: alice.account, group: 'admin' }),
      );
      const group = { account: bob.account, group: 'mute' };
      await community.seal(alice.write('space', 'setgroup', group));
      await bench.follow(community.of('space').slice(-2));
      const forbidden = bob.forge(LOBBY_STREAM, 'say', { text: 'I may not' });
      await bench.follow([community.unjudged([forbidden])]);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, []);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
    });
  });

  describe('of what was sealed before the device came', () => {
    let phone: Member;
    beforeEach(async () => {
      await say('old 1', 'old 2');
      phone = await community.enrol(alice);
      await say('new 1', 'new 2');
      await enter(phone);
    });

    it('tells nothing as it comes in', async () => {
      await bench.follow(lobby());
      assert.deepEqual(news.heard, ['new 1', 'new 2']);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 4);
    });

    it('tells nothing when it is fetched afterwards', async () => {
      await bridge();
      await older(...lobby());
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['new 1', 'new 2']);
    });

    it('needs nothing', async () => {
      await bridge();
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), false);
      await older(...lobby().slice(2));
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), false, 'older ones may be new as well');
      await older(...lobby().slice(1, 2));
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), true);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['new 1', 'new 2']);
    });

    it('tells nothing at all while it is not known when that was', async () => {
      bench = await ReplicaBench.open(community, phone);
      news = await InboxBench.open(bench);
      const space = community.of('space');
      await bench.follow([...space.slice(0, 3), ...lobby().slice(0, 2)]);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, []);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 0);
      await bench.follow([...space.slice(3), ...lobby().slice(2)]);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['new 1', 'new 2']);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 4);
    });
  });

  describe('after a catch-up', () => {
    it('waits until everything new is here, and tells it in order', async () => {
      await say('one');
      await bench.follow(lobby());
      await say('two', 'three', 'four');
      await bridge();
      await older(...lobby().slice(2));
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['one']);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), false);
      await older(...lobby().slice(1, 2));
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), true);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['one', 'two', 'three', 'four']);
    });

    it('keeps what is pushed meanwhile behind what is before it', async () => {
      await say('one', 'two');
      await bridge();
      await say('three');
      await bench.follow(lobby().slice(2));
      assert.deepEqual(news.heard, []);
      await older(...lobby().slice(0, 2));
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['one', 'two', 'three']);
    });

    it('tells a long absence in portions, nothing twice, whatever comes in meanwhile', async () => {
      const texts = Array.from({ length: 600 }, (_, n) => `${n}`);
      for (let n = 0; n < 600; n += 100)
        await Promise.all(texts.slice(n, n + 100).map((text) => say(text)));
      await bridge();
      await older(...lobby());
      const before = lobby().length;
      await say('last');
      await Promise.all([
        news.inbox.pump(LOBBY_STREAM),
        news.inbox.pump(LOBBY_STREAM),
        bench.follow(lobby().slice(before)),
      ]);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, [...texts, 'last']);
    });
  });

  describe('remembers how far news were told', () => {
    it('over a restart', async () => {
      await say('one', 'two');
      await bench.follow(lobby().slice(0, 1));
      await restart();
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
      await bench.follow(lobby().slice(1));
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['two']);
      await restart();
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, []);
    });

    it('over a crash, a moment after they were told', async () => {
      await say('one', 'two');
      await bench.follow(lobby());
      const { store } = bench.replica.log;
      await eventually('it is written', () => store.get(`d!${LOBBY_STREAM}`) !== undefined);
      bench.disk.crash(bench.disk.unsynced);
      await bench.restart();
      news = await InboxBench.open(bench);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 2);
    });

    it('so that what was held and not told is told after a crash', async () => {
      await say('one', 'two');
      await bench.follow(lobby().slice(0, 1));
      await news.inbox.settled();
      bench.onBatch = () => undefined;
      await bench.follow(lobby().slice(1));
      await restart();
      assert.equal(news.inbox.isComplete(LOBBY_STREAM), true);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['two']);
    });

    it('and goes back with a stream that is taken back', async () => {
      await say('one', 'two', 'three');
      await bench.follow(lobby());
      news.inbox.rewind(LOBBY_STREAM, 1);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
      news.inbox.rewind(LOBBY_STREAM, 2);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1, 'and never forward by it');
      await restart();
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
      await news.inbox.pump(LOBBY_STREAM);
      assert.deepEqual(news.heard, ['two', 'three']);
    });

    it('and goes back with it in one step, whenever the power fails', async () => {
      await say('one', 'two', 'three');
      await bench.follow(lobby());
      await news.inbox.settled();
      assert.deepEqual(news.inbox.rewindOperations(LOBBY_STREAM, 3), []);
      const also = news.inbox.rewindOperations(LOBBY_STREAM, 1);
      await bench.replica.rewind(LOBBY_STREAM, 1, also);
      bench.disk.crash();
      await bench.restart();
      news = await InboxBench.open(bench);
      assert.equal(news.inbox.cursor(LOBBY_STREAM), 1);
    });

    it('in the space by what it holds', async () => {
      assert.equal(news.inbox.cursor('space'), 3);
      await community.join('carol');
      await bench.follow(community.of('space').slice(-1));
      assert.equal(news.inbox.cursor('space'), 4);
      assert.equal(news.inbox.cursor(pairStream(alice.account, bob.account)), 0);
    });

    it('only as long as its disk has room, of which it complains', async () => {
      await say('one');
      await bench.follow(lobby());
      await news.inbox.settled();
      bench.disk.capacity = 0;
      news.inbox.rewind(LOBBY_STREAM, 0);
      await news.inbox.settled();
      assert.deepEqual(news.faults.splice(0).map(codeOf), ['DISK_FULL']);
    });
  });

  it('where nobody listens leaves the news for the next run', async () => {
    news = await InboxBench.open(bench, true);
    await say('one', 'two');
    await bench.follow(lobby());
    await news.inbox.pump(LOBBY_STREAM);
    assert.deepEqual(news.heard, []);
    assert.equal(news.inbox.cursor(LOBBY_STREAM), 0);
    await restart();
    await news.inbox.pump(LOBBY_STREAM);
    assert.deepEqual(news.heard, ['one', 'two']);
  });
});
