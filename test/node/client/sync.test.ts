import assert from 'node:assert/strict';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  type StreamName,
} from '../../../lib/crdt/stream.ts';
import { ClchatError, codeOf } from '../../../lib/errors.ts';
import { ended, eventually, turns } from '../../support/channels.ts';
import { SealedCommunity, wireOf } from '../../support/community.ts';
import { InboxBench } from '../../support/replicas.ts';
import { SyncStage } from '../../support/sync-stage.ts';

const KEY = new Uint8Array(32);

describe('replication to a client', () => {
  let stage: SyncStage;

  beforeEach(async () => {
    stage = await SyncStage.open();
  });
  afterEach(() => {
    stage.close();
    assert.deepEqual(stage.news.faults, []);
  });

  describe('begins', () => {
    it('with the space, and takes what is new to it as snapshots', async () => {
      await stage.say('one', 'two');
      await stage.sync.open();
      assert.deepEqual(stage.adopted, ['space', LOBBY_STREAM]);
      const snapshots = ['snapshot space 0', `snapshot ${LOBBY_STREAM} 0`];
      assert.deepEqual(stage.hub.asked.slice(0, 3), ['open', ...snapshots]);
      assert.ok(await stage.bench.replica.verifyState('space'));
      assert.equal(stage.length('space'), 3);
      assert.ok(await stage.bench.replica.verifyState(LOBBY_STREAM));
      assert.deepEqual(stage.news.heard, ['one', 'two']);
    });

    it('with nothing to ask where everything is here', async () => {
      await stage.say('one');
      await stage.bench.follow(stage.community.batches);
      await stage.sync.open();
      assert.deepEqual(stage.hub.asked, ['open']);
      assert.deepEqual(stage.adopted, []);
    });

    it('and takes a few missing items one after the other, with no snapshot', async () => {
      await stage.say('one', 'two');
      await stage.bench.follow(stage.community.batches);
      await stage.say('three', 'four');
      await stage.sync.open();
      assert.deepEqual(stage.hub.asked, ['open', `fetch ${LOBBY_STREAM} 2`]);
      assert.deepEqual(stage.news.heard, ['one', 'two', 'three', 'four']);
    });

    /** A message is here that has been read; there are more of them, and of what was read. */
    const missTwoStreams = async (): Promise<StreamName> => {
      const { alice, community } = stage;
      const own = accountStream(alice.account);
      for (const [index, text] of ['one', 'two', 'three'].entries()) {
        await stage.say(text);
        const read = { stream: LOBBY_STREAM, until: index + 1, tell: false };
        await community.seal(alice.write(own, 'read', read));
        if (index === 0) await stage.bench.follow(community.batches);
      }
      return own;
    };

    it('and takes what is missing of several streams at once', async () => {
      const own = await missTwoStreams();
      await stage.sync.open();
      assert.deepEqual(stage.hub.asked, ['open', 'fetchMany']);
      assert.deepEqual(stage.news.heard, ['one', 'two', 'three']);
      assert.equal(stage.length(own), 3);
    });

    it('and asks again where there was no room for all of them', async () => {
      const own = await missTwoStreams();
      stage.hub.portion = 1;
      stage.hub.answers = {
        fetchMany: async ({ wants: [first] }) => {
          const [stream, from] = first!;
          return { portions: [await stage.community.log.batches(stream, from, 9, 1)] };
        },
      };
      await stage.sync.open();
      assert.deepEqual([stage.length(own), stage.length()], [3, 3]);
    });

    it('and goes on fetching where an answer is cut short', async () => {
      await stage.say('one');
      await stage.bench.follow(stage.community.batches);
      await stage.say('two', 'three', 'four');
      stage.hub.portion = 1;
      await stage.sync.open();
      const fetches = [1, 2, 3].map((from) => `fetch ${LOBBY_STREAM} ${from}`);
      assert.deepEqual(stage.asked('fetch'), fetches);
      assert.equal(stage.length(), 4);
    });

    it('and bridges a long gap by a snapshot, which is filled afterwards', async () => {
      await stage.say('first');
      await stage.bench.follow(stage.community.batches);
      for (let n = 0; n < 2_001; n += 87)
        await Promise.all(Array.from({ length: 87 }, (_, i) => stage.say(`${n + i} of many`)));
      const { length } = stage.community.log.headOf(LOBBY_STREAM);
      await stage.sync.open();
      assert.deepEqual(stage.adopted, [LOBBY_STREAM]);
      assert.deepEqual(stage.asked('fetch'), []);
      assert.deepEqual(stage.have, [[0, length]]);
      assert.equal(stage.news.heard.length, length);
      assert.deepEqual(stage.news.heard.slice(0, 3), ['first', '0 of many', '1 of many']);
      assert.ok(await stage.bench.replica.verifyState(LOBBY_STREAM));
    });

    it('with four conversations at the same time', async () => {
      const { community, alice, bench, hub } = stage;
      await bench.follow(community.batches);
      for (let n = 0; n < 10; n++) {
        const other = await community.join(`friend${n}`);
        const pair = pairStream(alice.account, other.account);
        await community.seal(other.write(pair, 'epoch', other.epoch([alice, other], 1, KEY)));
      }
      hub.before = () => turns(3);
      await stage.sync.open();
      assert.equal((await bench.replica.log.names()).length, 11);
      assert.equal(hub.most, 4);
    });

    it('with all there is, however many answers it takes to say what that is', async () => {
      const { community, alice, bob } = stage;
      const pair = pairStream(alice.account, bob.account);
      await community.seal(bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, KEY)));
      await stage.say('one');
      stage.hub.streams = 1;
      await stage.sync.open();
      assert.equal(stage.asked('heads').length, 2);
      assert.deepEqual([stage.length('space'), stage.length(pair), stage.length()], [3, 1, 1]);
    });

    it('anew a snapshot that has become stale on its way, a few times', async () => {
      await stage.say('one');
      let stale = 3;
      stage.hub.before = (method) => {
        if (method === 'snapshot' && stale-- > 0) throw new ClchatError('STALE');
      };
      await stage.sync.open();
      assert.equal(stage.length(), 1);
      await stage.enter(stage.alice);
      stage.hub.before = (method) => {
        if (method === 'snapshot') throw new ClchatError('STALE');
      };
      await assert.rejects(stage.sync.open(), { code: 'STALE' });
      // Both were asked for early; what came of that does not count.
      assert.equal(stage.asked('snapshot').length, 5 + 2);
    });

    it('with snapshots that it asks for before it is told how far they go', async () => {
      await stage.say('one');
      const order: string[] = [];
      stage.hub.before = async (method) => {
        order.push(`${method} asked`);
        await turns(3);
        order.push(`${method} answered`);
      };
      await stage.sync.open();
      assert.deepEqual(order.slice(0, 4), [
        'open asked',
        'snapshot asked',
        'snapshot asked',
        'open answered',
      ]);
      assert.equal(stage.asked('snapshot').length, 2);
      assert.equal(stage.length(), 1);
    });

    it('also where what it asked for early was refused, since it came too early', async () => {
      await stage.say('one');
      let early = 2;
      stage.hub.before = (method) => {
        if (method === 'snapshot' && early-- > 0) throw new ClchatError('NOT_LOGGED_IN');
      };
      await stage.sync.open();
      assert.deepEqual(stage.adopted, ['space', LOBBY_STREAM]);
      assert.deepEqual(stage.news.heard, ['one']);
    });

    it('not from a snapshot that is not the one that was sealed', async () => {
      const { seal } = stage.community.of('space').at(-1)!;
      stage.hub.answers.snapshot = async () => ({
        at: 3,
        pages: 1,
        seal: seal.bytes,
        records: [['name', 'mallory', stage.alice.account]],
      });
      await assert.rejects(stage.sync.open(), { code: 'BAD_ENTRY' });
      assert.equal(stage.length('space'), 0);
    });

    it('not with a server that lacks what it says it has', async () => {
      await stage.say('one');
      await stage.bench.follow(stage.community.batches);
      await stage.say('two');
      stage.hub.answers.fetch = async () => ({ batches: [] });
      await assert.rejects(stage.sync.open(), { code: 'BAD_MESSAGE' });
    });
  });

  describe('fetches what is older', () => {
    beforeEach(async () => {
      await stage.say('before 1', 'before 2', 'before 3');
      // A device that was added later: what was said before is old to it.
      const phone = await stage.community.enrol(stage.alice);
      await stage.say('after 1', 'after 2', 'after 3');
      await stage.enter(phone);
      stage.hub.portion = 1;
    });

    it('newest first, as far as it is new to the device', async () => {
      await stage.sync.open();
      const requests = [6, 5, 4, 3].map((before) => `older ${LOBBY_STREAM} ${before} 0`);
      assert.deepEqual(stage.asked('older'), requests);
      assert.deepEqual(stage.have, [[2, 6]]);
      assert.deepEqual(stage.news.heard, ['after 1', 'after 2', 'after 3']);
    });

    it('when asked to, until there is enough', async () => {
      await stage.sync.open();
      await stage.sync.fetchOlder(LOBBY_STREAM, async () => stage.have[0]![0] <= 1);
      assert.deepEqual(stage.have, [[1, 6]]);
      await stage.sync.fetchOlder(LOBBY_STREAM, async () => true);
      assert.deepEqual(stage.have, [[1, 6]]);
      // Or until there is none.
      await stage.sync.fetchOlder(LOBBY_STREAM, async () => false);
      assert.deepEqual(stage.have, [[0, 6]]);
      assert.deepEqual(stage.news.heard, ['after 1', 'after 2', 'after 3']);
    });

    it('and catches up with what the server says meanwhile', async () => {
      let more = 2;
      stage.hub.before = async (method) => {
        if (method !== 'older' || more-- <= 0) return;
        await stage.say(`meanwhile ${more}`);
        stage.hub.tell(LOBBY_STREAM);
      };
      await stage.sync.open();
      assert.equal(stage.length(), 8);
      assert.deepEqual(stage.news.heard.slice(3), ['meanwhile 1', 'meanwhile 0']);
    });

    it('and catches up with what the server says while the last news are told', async () => {
      const { inbox } = stage.news;
      const pump = inbox.pump.bind(inbox);
      let more = 1;
      inbox.pump = async (stream) => {
        await pump(stream);
        if (stream !== LOBBY_STREAM || more-- <= 0) return;
        await stage.say('meanwhile');
        stage.hub.tell(LOBBY_STREAM);
        // Whatever was sent before an answer comes before it.
        await stage.sync.exchange.call('lengths', { streams: [] });
      };
      await stage.sync.open();
      assert.equal(stage.length(), 7);
      assert.equal(stage.news.heard.at(-1), 'meanwhile');
    });
  });

  describe('is pushed', () => {
    beforeEach(async () => {
      await stage.say('one');
      await stage.sync.open();
      stage.hub.asked.length = 0;
    });

    it('what is sealed from then on', async () => {
      await stage.say('two', 'three');
      stage.hub.push(...stage.lobby.slice(1));
      await stage.reaches(3);
      assert.deepEqual(stage.hub.asked, []);
      assert.deepEqual(stage.news.heard, ['one', 'two', 'three']);
    });

    it('what comes too early, which is kept and taken when the rest is here', async () => {
      await stage.say('two', 'three', 'four', 'five');
      stage.hub.portion = 1;
      stage.hub.push(...stage.lobby.slice(2));
      await stage.reaches(5);
      await stage.sync.settled();
      assert.deepEqual(stage.hub.asked, [`fetch ${LOBBY_STREAM} 1`]);
      assert.deepEqual(stage.news.heard, ['one', 'two', 'three', 'four', 'five']);
    });

    it('the same twice, and takes it once', async () => {
      await stage.say('two');
      stage.hub.push(...stage.lobby, ...stage.lobby);
      await stage.heard();
      assert.equal(stage.length(), 2);
      assert.deepEqual(stage.news.heard, ['one', 'two']);
      assert.equal(stage.sync.exchange.ended, false);
    });

    it('what was judged by more of the space, which is fetched first', async () => {
      const carol = await stage.community.join('carol');
      await stage.community.say(carol, 'I am new');
      stage.hub.push(...stage.lobby.slice(1));
      await stage.reaches(2);
      assert.deepEqual(stage.hub.asked, ['fetch space 3']);
      assert.equal(stage.length('space'), 4);
      assert.deepEqual(stage.news.heard, ['one', 'I am new']);
    });

    it('a hundred at once, in order', async () => {
      const texts = Array.from({ length: 100 }, (_, n) => `${n}`);
      await stage.say(...texts);
      stage.hub.push(...stage.lobby.slice(1));
      await stage.reaches(101);
      assert.deepEqual(stage.news.heard.slice(1), texts);
      assert.deepEqual(stage.hub.asked, []);
    });

    it('how far things have got, and fetches that itself', async () => {
      await stage.say('two', 'three');
      stage.hub.tell(LOBBY_STREAM);
      await stage.reaches(3);
      assert.deepEqual(stage.hub.asked, [`fetch ${LOBBY_STREAM} 1`]);
      // What was said of long ago asks for nothing.
      stage.hub.exchange.notify('heads', { heads: [[LOBBY_STREAM, 2]] });
      await stage.heard();
      assert.equal(stage.asked('fetch').length, 1);
    });

    it('what begins a conversation, with nothing to ask', async () => {
      const { community, alice, bob, hub } = stage;
      const pair = pairStream(alice.account, bob.account);
      await community.seal(bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, KEY)));
      hub.push(...community.of(pair));
      await stage.reaches(1, pair);
      assert.deepEqual(hub.asked, []);
    });

    it('receipts, which are passed on', async () => {
      const { id } = await stage.community.say(stage.alice, 'mine');
      stage.hub.exchange.notify('receipts', { receipts: [[id, 1, 2, 0]] });
      await stage.heard();
      assert.deepEqual(stage.receipts, [{ id, on: 1, of: 2, read: 0 }]);
    });

    it('what was never sealed, and speaks to that server no more', async () => {
      const heads = ['space' as const, LOBBY_STREAM].map((stream): [StreamName, number, string] => {
        const { length, seal } = stage.community.log.headOf(stream);
        return [stream, length, seal!];
      });
      await stage.say('two');
      const [, two] = stage.lobby;
      const { seal, items } = wireOf(two!);
      const other = await SealedCommunity.found(2);
      const mallory = await other.join('mallory');
      await other.say(mallory, 'one');
      await other.say(mallory, 'elsewhere');
      for (const batch of [
        { seal: seal.with(-1, seal.at(-1)! ^ 1), items },
        { seal, items: [] },
        { seal, items: [items[0]!.with(-1, items[0]!.at(-1)! ^ 1)] },
        { seal: new Uint8Array(9), items },
        wireOf(other.of(LOBBY_STREAM)[1]!),
      ]) {
        const end = ended(stage.sync.exchange.channel);
        stage.hub.exchange.notify('batch', batch);
        assert.equal(codeOf(await end), 'BAD_ENTRY');
        assert.equal(stage.length(), 1);
        await stage.connect();
        stage.hub.answers.open = async () => ({ heads, more: false });
        await stage.sync.open();
      }
      stage.hub.push(two!);
      await stage.reaches(2);
    });

    it('of what the server then does not give, and lets go of the connection', async () => {
      await stage.say('two', 'three');
      stage.hub.answers.fetch = async () => {
        throw new ClchatError('DENIED');
      };
      const end = ended(stage.sync.exchange.channel);
      stage.hub.push(stage.lobby[2]!);
      assert.equal(codeOf(await end), 'CLOSED');
      assert.deepEqual(stage.faults.map(codeOf), ['DENIED']);
    });
  });

  describe('acknowledges', () => {
    it('what it holds of everything, when it has begun', async () => {
      await stage.say('one', 'two');
      await stage.sync.open();
      await eventually('the space is', () => stage.hub.acknowledged('space') === 3);
      await eventually('the lobby is', () => stage.hub.acknowledged(LOBBY_STREAM) === 2);
    });

    it('together what comes in together', async () => {
      await stage.say('one');
      await stage.sync.open();
      await eventually('it is acknowledged', () => stage.hub.acknowledged(LOBBY_STREAM) === 1);
      const before = stage.hub.acks.length;
      await stage.say(...Array.from({ length: 50 }, (_, n) => `${n}`));
      stage.hub.push(...stage.lobby.slice(1));
      await eventually('all is', () => stage.hub.acknowledged(LOBBY_STREAM) === 51);
      assert.ok(stage.hub.acks.length - before < 10, `${stage.hub.acks.length} notices`);
    });

    it('nothing that has not been told', async () => {
      stage.news = await InboxBench.open(stage.bench, true);
      await stage.connect();
      await stage.say('one', 'two');
      await stage.sync.open();
      assert.equal(stage.length(), 2);
      await eventually('it is', () => stage.hub.acknowledged(LOBBY_STREAM) !== undefined);
      assert.equal(stage.hub.acknowledged(LOBBY_STREAM), 0);
    });
  });
});
