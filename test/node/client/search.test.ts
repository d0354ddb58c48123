import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageAt } from '../../../lib/crdt/content.ts';
import { openLevelStore } from '../../../lib/crdt/store-level.ts';
import { prefixed } from '../../../lib/crdt/store.ts';
import { LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { ClchatError, hasCode } from '../../../lib/errors.ts';
import { PageReader } from '../../../lib/node/client/search-pages.ts';
import { SearchSeal } from '../../../lib/node/client/search-seal.ts';
import { eventually } from '../../support/channels.ts';
import { NOW, SealedCommunity, wireOf } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';
import { snapshotOf } from '../../support/replicas.ts';
import { roomNumber, SEARCH_KEY, SearchStage } from '../../support/search-stage.ts';
import { collect } from '../../support/store-contract.ts';
import { temporary } from '../../support/temporary.ts';
import { FakeTime } from '../../support/time.ts';

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
      assert.deepEqual(await find('STRASSE'), ['ＧＲＯẞＥ Straße, 42!']);
      assert.deepEqual(await find('straße'), ['ＧＲＯẞＥ Straße, 42!']);
      assert.deepEqual(await find('groẞe 42'), ['ＧＲＯẞＥ Straße, 42!']);
      assert.deepEqual(await find('ÄNDERN'), ['ändern\u001b[31mrot\u001b[0m']);
      assert.deepEqual(await find('明日'), ['会議は明日']);
    });

    it('whether accents are written or not', async () => {
      await say(alice, ['un café crème']);
      assert.deepEqual(await find('cafe creme'), ['un café crème']);
      assert.deepEqual(await find('CAFÉ'), ['un café crème']);
    });

    it('the most relevant first', async () => {
      await say(alice, [
        'soup soup soup with rice',
        'rice and soup and bread and butter and cheese and a very long list of other things',
        'rice with soup',
        'rice rice rice with soup',
      ]);
      for (let n = 0; n < 5; n++) await say(bob, [`rice of day ${n}`]);
      const [first, second, third, last, ...more] = await find('rice soup');
      assert.equal(first, 'soup soup soup with rice', 'the rarer word counts more');
      assert.equal(second, 'rice rice rice with soup', 'what occurs more often counts more');
      assert.equal(third, 'rice with soup');
      assert.ok(last!.startsWith('rice and soup and bread'), 'what is longer counts less');
      assert.deepEqual(more, []);
    });

    it('with words that follow each other, where they are in quotes', async () => {
      await say(alice, ['red fox', 'fox red', 'a red, FOX!', 'red old fox']);
      assert.deepEqual(await find('"red fox"'), ['a red, FOX!', 'red fox']);
      assert.equal((await find('red fox')).length, 4);
      for (let n = 0; n < 70; n++) await say(bob, [`fox red ${n}`]);
      assert.deepEqual(await find('"red fox"'), ['a red, FOX!', 'red fox']);
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
      const few = await alice.home.search.find('word', { limit: 3 });
      assert.deepEqual(
        few.messages.map(({ text }) => text),
        ['word 59', 'word 58', 'word 57'],
      );
      assert.equal((await alice.home.search.find('word', { limit: 200 })).messages.length, 60);
    });

    it('by what they say now', async () => {
      const { conversations } = alice.home;
      const id = await alice.say('the first text');
      await say(bob, ['other text'], pair);
      assert.equal((await find('text')).length, 2);
      await conversations.edit(LOBBY_STREAM, id, 'the second version', false);
      await alice.deliver();
      assert.deepEqual(await find('first'), []);
      assert.deepEqual(await find('second'), ['the second version']);
      assert.deepEqual(await find('second', bob), ['the second version']);
      const { id: secret } = await bob.home.conversations.say(pair, 'a secret');
      await bob.deliver();
      assert.deepEqual(await find('secret'), ['a secret']);
      await bob.home.conversations.edit(pair, secret, 'a mystery', false);
      await bob.deliver();
      assert.deepEqual(await find('secret'), []);
      assert.deepEqual(await find('mystery'), ['a mystery']);
    });

    it('by the names of their files', async () => {
      const file = { hash: new Uint8Array(32), size: 5, name: 'Report of May.pdf' };
      await alice.home.conversations.say(LOBBY_STREAM, { text: '', file });
      await alice.home.conversations.say(LOBBY_STREAM, { text: 'here it is', file });
      await alice.deliver();
      assert.deepEqual(await find('report pdf'), ['here it is', '']);
      assert.deepEqual(await find('here may'), ['here it is']);
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
          position: 0,
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

    it('with what waits here to be sent, before all others', async () => {
      await say(alice, ['word held']);
      const { conversations } = alice.home;
      for (const text of ['a word', 'another', 'the last word', 'word removed'])
        await conversations.say(LOBBY_STREAM, text);
      const removed = alice.home.replica.pending().at(-1)!;
      await conversations.remove(LOBBY_STREAM, removed.id, false);
      assert.deepEqual(await find('word'), ['the last word', 'a word', 'word held']);
      assert.deepEqual(await find('word', bob), ['word held']);
      while (alice.home.replica.pending().length > 0) await alice.deliver();
      assert.deepEqual(
        new Set(await find('word')),
        new Set(['the last word', 'a word', 'word held']),
      );
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
    it('what was refused', async () => {
      await alice.home.conversations.say(LOBBY_STREAM, 'word on its way');
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
      const page = 'x!0000000000000!p0000000000000';
      const [hers, his] = [alice.store.get(page)!, bob.store.get(page)!];
      assert.equal(hers.length, his.length);
      assert.ok(
        !hers.some((byte, at) => at < 40 && byte === his[at] && his[at + 1] === hers[at + 1]),
      );
    });

    it('of what stands there now, where a stream has been taken back', async () => {
      // The same people at the same server, which goes on in another way.
      const other = await SealedCommunity.found();
      const [, member] = [await other.join('alice'), await other.join('bob')];
      for (const text of ['word 1', 'fresh word']) await other.say(member, text);
      for (const text of ['word 1', 'lost word']) await community.say(bob.member, text);
      assert.deepEqual(await find('lost word'), ['lost word']);
      const { replica, search } = alice.home;
      await replica.rewind(LOBBY_STREAM, 1, search.rewindOperations(LOBBY_STREAM));
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

    it('though nobody waits for it, and it fails', async () => {
      await say(bob, ['word']);
      await alice.catchUp();
      const { store, home } = alice;
      const write = store.write.bind(store);
      let failures = 0;
      store.write = (): Promise<void> => {
        failures++;
        return Promise.reject(new ClchatError('DISK_FULL'));
      };
      void home.search.update();
      await eventually('it has failed', () => failures > 0);
      await assert.rejects(home.search.update(), { code: 'DISK_FULL' });
      store.write = write;
      assert.deepEqual(await find('word'), ['word']);
      // It may have begun by itself meanwhile, and told of it.
      assert.ok(alice.faults.splice(0).every((fault) => hasCode(fault, 'DISK_FULL')));
    });

    it('though everything is closed under it', async () => {
      await say(bob, ['word', 'words']);
      await alice.catchUp();
      const { store, home } = alice;
      const updating = home.search.update();
      home.search.stop();
      const closed = store.close();
      await updating;
      await closed;
      await home.search.update();
      await alice.start();
      assert.deepEqual(await find('words'), ['words']);
    });
  });

  describe('forgets what is erased', () => {
    it('with every word of it, over a restart', async () => {
      const id = await alice.say('the password is cucumber');
      await say(alice, ['the cucumber salad']);
      assert.equal((await find('cucumber')).length, 2);
      const { replica, search } = alice.home;
      const { entry, position } = messageAt(replica.log, id)!;
      await search.forget(LOBBY_STREAM, [{ entry, position }]);
      const found = async (): Promise<string[]> =>
        (await alice.home.search.search('cucumber')).map(({ text }) => text);
      assert.deepEqual(await found(), ['the cucumber salad']);
      assert.deepEqual(await alice.home.search.search('password'), []);
      await alice.restart();
      assert.deepEqual(await found(), ['the cucumber salad'], 'it is not indexed once more');
      assert.equal((await alice.read()).length, 2);
    });

    it('when it is removed', async () => {
      const id = await bob.say('the password is cucumber');
      await bob.home.conversations.edit(LOBBY_STREAM, id, 'the password is tomato', false);
      await bob.deliver();
      assert.equal((await find('tomato')).length, 1);
      await bob.home.conversations.act(LOBBY_STREAM, 'remove', { target: id });
      await bob.deliver();
      await alice.catchUp();
      await alice.home.settled();
      for (const word of ['tomato', 'cucumber', 'password']) assert.deepEqual(await find(word), []);
    });
  });
});

describe('the search index', () => {
  const [one, other] = [roomNumber(1), roomNumber(2)];
  let stage: SearchStage;
  beforeEach(() => void (stage = new SearchStage()));
  afterEach(() => assert.deepEqual(stage.faults, []));

  const texts = async (query: string): Promise<string[]> =>
    (await stage.index.search(query)).map(({ text }) => text);

  describe('is made in the background', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());

    const segments = async (): Promise<number> =>
      (await collect(stage.store, prefixed('x!'))).filter(([key]) => key.includes('!h')).length;

    it('soon after something has come in', async () => {
      await stage.say(one, 'word 1');
      assert.equal(await segments(), 0);
      await time.pass(600);
      assert.equal(await segments(), 1);
      await stage.say(one, 'word 2');
      await time.pass(2_000);
      assert.equal(await segments(), 2);
      await time.pass(60_000);
      assert.equal(await segments(), 2, 'and no more where nothing has');
      await time.until(stage.close());
    });

    it('not for what is not searched', async () => {
      stage.index.note('space');
      await time.pass(5_000);
      assert.deepEqual(await collect(stage.store, prefixed('x!')), []);
      await time.until(stage.close());
    });

    it('not once it is stopped', async () => {
      await stage.say(one, 'word');
      stage.index.stop();
      stage.index.note(one);
      await time.pass(5_000);
      assert.equal(await segments(), 0);
      await stage.store.close();
    });

    it('and says what goes wrong there', async () => {
      await stage.say(one, 'word');
      stage.disk.capacity = 0;
      await time.pass(600);
      assert.ok(hasCode(stage.faults.pop(), 'DISK_FULL'));
      await time.until(stage.close());
    });
  });

  it('answers from what it has while it is made', async () => {
    await stage.say(one, 'word first');
    await stage.index.update();
    await stage.sayAll(
      one,
      Array.from({ length: 2_000 }, (_, n) => `word ${n}`),
    );
    const { messages, isComplete } = await stage.index.find('word', { patience: 0 });
    assert.equal(isComplete, false);
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['word first'],
    );
    const later = await stage.index.find('word 1999', { patience: 60_000 });
    assert.ok(later.isComplete);
    assert.equal(later.messages.length, 1);
    await stage.close();
  });

  it('answers from what it has where nothing can be stored', async () => {
    await stage.say(one, 'word 1');
    assert.deepEqual(await texts('word'), ['word 1']);
    await stage.say(one, 'word 2');
    stage.disk.capacity = 0;
    const { messages, isComplete } = await stage.index.find('word');
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['word 1'],
    );
    assert.equal(isComplete, false);
    stage.disk.capacity = Infinity;
    await stage.reopen();
    assert.deepEqual(await texts('word'), ['word 2', 'word 1']);
    await stage.close();
  });

  it('goes on where something could be stored again', async () => {
    await stage.say(one, 'word 1');
    const { store } = stage;
    const write = store.write.bind(store);
    store.write = () => Promise.reject(new ClchatError('DISK_FULL'));
    assert.deepEqual(await stage.index.find('word'), { messages: [], isComplete: false });
    store.write = write;
    const { messages, isComplete } = await stage.index.find('word');
    assert.equal(messages.length, 1);
    assert.ok(isComplete);
    await stage.close();
  });

  it('does not take in what is forgotten before it was in it', async () => {
    await stage.say(one, 'word');
    const [{ entry } = assert.fail()] = stage.itemsOf(one);
    await stage.index.forget(one, [{ position: 0, entry }]);
    await stage.index.forget('space', [{ position: 0, entry }]);
    assert.deepEqual(await stage.index.find('word'), { messages: [], isComplete: true });
    await stage.reopen();
    assert.deepEqual(await texts('word'), []);
    await stage.close();
  });

  it('is complete only for what has not been taken back', async () => {
    await stage.say(one, 'word 1');
    await stage.say(other, 'word 2');
    assert.equal((await texts('word')).length, 2);
    const operations = stage.index.rewindOperations(one);
    const { messages, isComplete } = await stage.index.find('word');
    assert.equal(messages.length, 2);
    assert.equal(isComplete, false);
    await stage.store.write(operations, { sync: false });
    assert.equal((await texts('word')).length, 2);
    assert.ok((await stage.index.find('word')).isComplete);
    assert.deepEqual(stage.index.rewindOperations('space'), []);
    await stage.close();
  });

  it('has few segments, however many there have been', async () => {
    for (let n = 0; n < 100; n++) {
      await stage.say(one, `word ${n}`, NOW + n * 1_000);
      await stage.index.update();
    }
    await stage.index.settled();
    const headers = (await collect(stage.store, prefixed('x!'))).filter(([key]) => /!h$/.test(key));
    assert.ok(headers.length < 16, `${headers.length}`);
    assert.equal((await stage.index.find('word', { limit: 1_000 })).messages.length, 100);
    await stage.reopen();
    assert.equal((await texts('word'))[0], 'word 99');
    assert.deepEqual(await texts('word 7'), ['word 7']);
    await stage.close();
  });

  it('tells of damage', async () => {
    await stage.say(one, 'word');
    assert.equal((await texts('word')).length, 1);
    const key = 'x!0000000000000!p0000000000000';
    await stage.store.write([{ type: 'put', key, value: new Uint8Array(50) }], { sync: false });
    await assert.rejects(stage.index.search('word'), { code: 'DATA_CORRUPT' });
    await stage.close();
  });

  describe('on a disk', () => {
    const { newDirectory } = temporary();

    it('holds nothing of what was erased, in whatever segment it has been', async () => {
      const directory = await newDirectory();
      await stage.store.close();
      stage.open(await openLevelStore(directory, { create: true }));
      /** All values that ever were, by their bytes on the disk. */
      const seen = new Map<string, Uint8Array>();
      const look = async (): Promise<void> => {
        for await (const [key, value] of stage.store.entries(prefixed('x!')))
          if (/!p/.test(key)) seen.set(`${key} ${Buffer.from(value).toString('hex')}`, value);
      };
      for (let n = 0; n < 20; n++) {
        await stage.say(n % 2 === 0 ? one : other, n === 3 ? 'secret cucumber' : `word ${n}`);
        await stage.index.update();
        await stage.index.settled();
        await look();
      }
      const seal = new SearchSeal(SEARCH_KEY);
      const hash = seal.hash('cucumber');
      const holds = (name: string, value: Uint8Array): boolean => {
        const reader = new PageReader(seal.open(name.slice(0, name.indexOf(' ')), value));
        while (reader.next()) if (reader.hash === hash) return true;
        return false;
      };
      const told = [...seen]
        .filter(([name, value]) => holds(name, value))
        .map(([, value]) => value);
      assert.ok(told.length >= 2, 'it has been in several segments');
      const isOnDisk = async (value: Uint8Array): Promise<boolean> => {
        for (const name of await readdir(directory))
          if ((await readFile(join(directory, name))).includes(Buffer.from(value))) return true;
        return false;
      };
      assert.ok((await Promise.all(told.map(isOnDisk))).includes(true));
      await stage.erase(other, [1]);
      for (const value of told) assert.equal(await isOnDisk(value), false);
      seen.clear();
      await look();
      assert.deepEqual(
        [...seen].filter(([name, value]) => holds(name, value)),
        [],
      );
      assert.equal((await stage.index.find('word', { limit: 100 })).messages.length, 19);
      await stage.close();
    });
  });
});
