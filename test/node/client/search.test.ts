import assert from 'node:assert/strict';
import { LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { wordsOf } from '../../../lib/node/client/search.ts';
import { SealedCommunity, wireOf } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';
import { snapshotOf } from '../../support/replicas.ts';

describe('search', () => {
  let community: SealedCommunity;
  let alice: HomeBench;
  let bob: HomeBench;
  let pair: StreamName;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    const members = [await community.join('alice'), await community.join('bob')] as const;
    alice = await HomeBench.open(community, members[0]);
    bob = await HomeBench.open(community, members[1]);
    pair = alice.pair(bob);
  });
  afterEach(async () => {
    await Promise.all([alice.stop(), bob.stop()]);
    assert.deepEqual([...alice.faults, ...bob.faults], []);
  });

  /** Says one thing after the other, a second apart. */
  const say = async (bench: HomeBench, texts: string[], stream = LOBBY_STREAM): Promise<void> => {
    for (const text of texts) {
      community.clock.pass(1_000);
      await bench.say(text, stream);
    }
  };
  const find = async (query: string, bench = alice): Promise<string[]> => {
    await bench.catchUp();
    return (await bench.home.search.search(query)).map(({ text }) => text);
  };

  describe('finds messages', () => {
    it('that hold all the words, in any order, and no others', async () => {
      await say(alice, ['the quick brown fox', 'a brown dog', 'quick and BROWN', 'brownish']);
      assert.deepEqual(await find('brown quick'), ['quick and BROWN', 'the quick brown fox']);
      assert.deepEqual(await find('brown'), [
        'quick and BROWN',
        'a brown dog',
        'the quick brown fox',
      ]);
      assert.deepEqual(await find('brown cat'), []);
      assert.deepEqual(await find('dog quick'), []);
      assert.deepEqual(await find('brow'), []);
    });

    it('whatever their case and width, and whatever stands between the words', async () => {
      await say(alice, ['ＧＲＯẞＥ Straße, 42!', 'ändern\u001b[31mrot\u001b[0m', '会議は明日']);
      assert.deepEqual(await find('STRASSE'), []);
      assert.deepEqual(await find('straße'), ['ＧＲＯẞＥ Straße, 42!']);
      assert.deepEqual(await find('groẞe 42'), ['ＧＲＯẞＥ Straße, 42!']);
      assert.deepEqual(await find('ÄNDERN'), ['ändern\u001b[31mrot\u001b[0m']);
      assert.deepEqual(await find('明日'), ['会議は明日']);
    });

    it('newest first, by when they were written', async () => {
      await say(alice, ['word 1']);
      await say(bob, ['word 2'], pair);
      await say(alice, ['word 3']);
      await bob.catchUp();
      await say(bob, ['word 4']);
      assert.deepEqual(await find('word'), ['word 4', 'word 3', 'word 2', 'word 1']);
    });

    it('fifty of them at most, the newest', async () => {
      for (let n = 0; n < 60; n++) {
        community.clock.pass(1_000);
        await bob.home.conversations.say(LOBBY_STREAM, `word ${n}`);
      }
      await bob.deliver();
      const found = await find('word');
      assert.equal(found.length, 50);
      assert.deepEqual([found[0], found[49]], ['word 59', 'word 10']);
      assert.deepEqual(await find('word 3'), ['word 3'], 'the old ones by what is theirs');
    });

    it('of every conversation that this device can read, and of no other', async () => {
      const carol = await HomeBench.open(community, await community.join('carol'));
      await Promise.all([alice.catchUp(), bob.catchUp()]);
      await say(alice, ['secret of two'], pair);
      await say(carol, ['secret of all']);
      assert.deepEqual(await find('secret'), ['secret of all', 'secret of two']);
      assert.deepEqual(await find('secret', bob), ['secret of all', 'secret of two']);
      assert.deepEqual(await find('secret', carol), ['secret of all']);
      await carol.stop();
    });

    it('with all there is to know of them', async () => {
      const id = await bob.say('look here');
      await alice.catchUp();
      assert.deepEqual(await alice.home.search.search('look'), [
        {
          id,
          stream: LOBBY_STREAM,
          author: bob.home.account,
          text: 'look here',
          time: community.clock.now(),
          state: 'held',
        },
      ]);
    });

    it('that came in since the last search', async () => {
      await say(bob, ['word 1']);
      assert.deepEqual(await find('word'), ['word 1']);
      await say(bob, ['word 2']);
      assert.deepEqual(await find('word'), ['word 2', 'word 1']);
      // Asked twice at the same time, it is the same answer.
      await say(bob, ['word 3']);
      await alice.catchUp();
      const [one, two] = await Promise.all([find('word'), find('word')]);
      assert.deepEqual(one, two);
      assert.equal(one.length, 3);
    });

    it('that were fetched later, though they are older', async () => {
      await say(bob, ['word 1', 'word 2', 'word 3']);
      const carol = await community.join('carol');
      const late = await HomeBench.open(community, carol, { empty: true });
      const { replica, search } = late.home;
      for (const stream of ['space', LOBBY_STREAM] as const) {
        const { seal, records } = await snapshotOf(community, stream);
        await replica.adopt(seal, records);
      }
      const texts = async (): Promise<string[]> =>
        (await search.search('word')).map(({ text }) => text);
      const batches = community.of(LOBBY_STREAM).toReversed().map(wireOf);
      assert.deepEqual(await texts(), []);
      await replica.ingestOlder(LOBBY_STREAM, batches.slice(0, 1));
      assert.deepEqual(await texts(), ['word 3']);
      await replica.ingestOlder(LOBBY_STREAM, batches.slice(1));
      assert.deepEqual(await texts(), ['word 3', 'word 2', 'word 1']);
      await late.stop();
    });

    it('among very many', async () => {
      const texts = Array.from({ length: 300 }, (_, n) => `number ${n} of many`);
      for (const text of texts) await bob.home.conversations.say(LOBBY_STREAM, text);
      await bob.deliver();
      for (const n of [0, 255, 256, 299])
        assert.deepEqual(await find(`number ${n}`), [`number ${n} of many`]);
    });
  });

  describe('does not find', () => {
    it('what is on its way, nor what was refused', async () => {
      await alice.home.conversations.say(LOBBY_STREAM, 'word on its way');
      assert.deepEqual(await find('word'), []);
      const [entry] = alice.home.replica.pending();
      await community.submit(entry!, { admit: () => 'BLOCKED' });
      assert.deepEqual(await find('word'), []);
    });

    it('what this device cannot open', async () => {
      await say(alice, ['a secret'], pair);
      const phone = await community.enrol(bob.member);
      const poor = await HomeBench.open(community, phone, { keyring: false });
      assert.deepEqual(await find('secret', poor), []);
      await poor.stop();
    });

    it('words beyond the first five hundred and twelve of a message', async () => {
      const words = Array.from({ length: 600 }, (_, n) => `w${n}`);
      await say(alice, [words.join(' ')]);
      assert.equal((await find('w0 w511')).length, 1);
      assert.equal((await find('w512')).length, 0);
    });

    it('anything without a word to look for', async () => {
      for (const query of ['', '   ', '!?', '\u001b['])
        await assert.rejects(alice.home.search.search(query), { code: 'USAGE' });
    });
  });

  describe('keeps an index', () => {
    const keys = (prefix: string): Promise<string[]> => keysOf(alice, prefix);
    const keysOf = async (bench: HomeBench, prefix: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const [key] of bench.store.entries({ from: prefix, until: `${prefix}~` }))
        found.push(key);
      return found;
    };

    it('over a restart', async () => {
      await say(bob, ['word 1']);
      assert.deepEqual(await find('word'), ['word 1']);
      const before = await keys('x!');
      await alice.restart();
      assert.deepEqual(await keys('x!'), before);
      await say(bob, ['word 2']);
      assert.deepEqual(await find('word'), ['word 2', 'word 1']);
    });

    it('from which nobody learns the words', async () => {
      await say(bob, ['cucumber'], pair);
      await Promise.all([find('cucumber'), find('cucumber', bob)]);
      for await (const [key, value] of alice.store.entries({ from: '!', until: '\u007f' }))
        assert.ok(!`${key} ${Buffer.from(value).toString('latin1')}`.includes('cucumber'), key);
      // Nor from the index of somebody else, who has the same words.
      const hashes = async (bench: HomeBench): Promise<string[]> =>
        (await keysOf(bench, 'x!')).map((key) => key.split('!')[1]!);
      const [hers, his] = [await hashes(alice), await hashes(bob)];
      assert.equal(hers.length, 1);
      assert.equal(his.length, 1);
      assert.notDeepEqual(hers, his);
    });

    it('of what stands there now, where a stream has been taken back', async () => {
      // The same people at the same server, which goes on in another way.
      const other = await SealedCommunity.found();
      const [, member] = [await other.join('alice'), await other.join('bob')];
      for (const text of ['word 1', 'fresh word']) await other.say(member, text);
      for (const text of ['word 1', 'lost word']) await community.say(bob.member, text);
      assert.deepEqual(await find('lost word'), ['lost word']);
      const { replica, search } = alice.home;
      await replica.rewind(LOBBY_STREAM, 1, search.rewindOperations(LOBBY_STREAM, 1));
      const { seal, records } = await snapshotOf(other, LOBBY_STREAM);
      await replica.adopt(seal, records);
      await replica.ingestOlder(LOBBY_STREAM, [wireOf(other.of(LOBBY_STREAM)[1]!)]);
      assert.deepEqual(await find('lost'), []);
      assert.deepEqual(await find('fresh'), ['fresh word']);
      assert.deepEqual((await find('word')).sort(), ['fresh word', 'word 1']);
    });

    it('and begins no more of it once it is stopped', async () => {
      await say(bob, ['word']);
      await alice.catchUp();
      alice.home.search.stop();
      await alice.home.search.update();
      assert.deepEqual(await keys('x!'), []);
    });
  });

  it('compares words, not characters between them', () => {
    assert.deepEqual(wordsOf('One, two;  ONE!  don’t'), ['one', 'two', 'don’t']);
    assert.deepEqual(wordsOf('\u001b[2J\u0007 ... --'), ['2j']);
    assert.deepEqual(wordsOf('ﬁne Ⅷ'), ['fine', 'viii']);
    assert.deepEqual(wordsOf('x'.repeat(100)), ['x'.repeat(64)]);
    assert.equal(wordsOf(Array.from({ length: 900 }, (_, n) => `w${n}`).join(' ')).length, 512);
  });
});
