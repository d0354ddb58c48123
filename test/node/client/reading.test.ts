import assert from 'node:assert/strict';
import { encode } from '../../../lib/crdt/codec.ts';
import { eraseBodies } from '../../../lib/crdt/erase.ts';
import type { Entry } from '../../../lib/crdt/entry.ts';
import type { EntryId } from '../../../lib/crdt/keys.ts';
import { accountStream, LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import type { ReadMessage } from '../../../lib/node/client/reading.ts';
import { wireOf, type SealedCommunity } from '../../support/community.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';
import { snapshotOf } from '../../support/replicas.ts';

const NONE = 'ab'.repeat(32) as EntryId;
const HASH = new Uint8Array(32).fill(9);

describe('reading', () => {
  const stage = homeStage();
  const { catchUp } = stage;
  let community: SealedCommunity;
  let root: HomeBench;
  let alice: HomeBench;
  let bob: HomeBench;

  beforeEach(async () => {
    ({ community } = stage);
    [root, alice, bob] = await stage.join('root', 'alice', 'bob');
    await community.appoint(root.member, 'admin');
    await catchUp();
  });

  /** The newest message of a conversation, as somebody reads it. */
  const last = async (bench: HomeBench, stream: StreamName = LOBBY_STREAM): Promise<ReadMessage> =>
    (await bench.home.conversations.newest(stream, 1))[0]!;
  /** Has what waits sealed, and everybody told. */
  const deliver = async (bench: HomeBench): Promise<void> => {
    for (const outcome of await bench.deliver()) assert.equal(outcome, 'sealed');
    await catchUp();
  };
  const streams = (): [what: string, stream: StreamName][] => [
    ['in the clear', LOBBY_STREAM],
    ['sealed', alice.pair(bob)],
  ];

  it('gives the newest text, and when it was written', async () => {
    for (const [what, stream] of streams()) {
      const id = await alice.say('one', stream);
      const { conversations } = alice.home;
      community.clock.pass(5);
      await conversations.edit(stream, id, 'two', false);
      const pending = await last(alice, stream);
      assert.deepEqual([pending.text, pending.edited], ['two', community.clock.now()], what);
      await deliver(alice);
      const first = community.clock.now();
      community.clock.pass(5);
      await conversations.edit(stream, id, 'three', false);
      await deliver(alice);
      for (const bench of [alice, bob]) {
        const read = await last(bench, stream);
        assert.deepEqual(
          [read.id, read.text, read.edited, read.author],
          [id, 'three', community.clock.now(), alice.home.account],
          what,
        );
        const found = bench.home.conversations.reading.find(id)!;
        assert.deepEqual(
          (await bench.home.conversations.reading.versions(found.entry)).map(({ text, by }) => [
            text,
            by,
          ]),
          ['one', 'two', 'three'].map((text) => [text, alice.home.account]),
        );
        const original = await bench.home.conversations.reading.original(found.entry);
        assert.equal(original?.text, 'one');
      }
      assert.ok(first < community.clock.now());
    }
  });

  it('takes no edits of others, unless they may', async () => {
    const id = await alice.say('one');
    // Sealed by a server that does not look what it is about.
    await community.seal(
      bob.member.write(LOBBY_STREAM, 'edit', { target: id, text: 'words in her mouth' }),
    );
    await catchUp();
    assert.equal((await last(bob)).text, 'one');
    assert.equal((await last(bob)).edited, undefined);
    await root.home.conversations.edit(LOBBY_STREAM, id, 'said decently', true);
    await deliver(root);
    assert.equal((await last(bob)).text, 'said decently');
    const { reading } = bob.home.conversations;
    const versions = await reading.versions(reading.find(id)!.entry);
    assert.deepEqual(
      versions.map(({ by }) => by),
      [alice.home.account, root.home.account],
    );
  });

  it('gives nothing of what was removed, not even by whom', async () => {
    for (const [what, stream] of streams()) {
      const id = await alice.say('one', stream);
      await alice.home.conversations.edit(stream, id, 'two', false);
      await bob.home.conversations.react(stream, id, '👍', true);
      await deliver(alice);
      await deliver(bob);
      await alice.home.conversations.act(stream, 'remove', { target: id });
      const pending = await last(alice, stream);
      assert.deepEqual([pending.text, pending.removed, pending.author], ['', true, undefined]);
      await deliver(alice);
      for (const bench of [alice, bob]) {
        const read = await last(bench, stream);
        assert.deepEqual(
          { ...read, position: undefined },
          {
            id,
            stream,
            position: undefined,
            time: community.clock.now(),
            state: 'held',
            author: undefined,
            text: '',
            removed: true,
          },
          what,
        );
        const { reading } = bench.home.conversations;
        assert.equal(await reading.textOf(reading.find(id)!.entry), undefined);
      }
    }
  });

  it('lets a removal win over an edit, whichever came first', async () => {
    const id = await alice.say('one');
    await community.seal(alice.member.write(LOBBY_STREAM, 'remove', { target: id }, next(alice)));
    await community.seal(alice.member.write(LOBBY_STREAM, 'edit', { target: id, text: 'two' }));
    await catchUp();
    for (const bench of [alice, bob]) assert.equal((await last(bench)).removed, true);
  });

  it('takes no removals of others, unless they may', async () => {
    const id = await alice.say('one');
    await community.seal(bob.member.write(LOBBY_STREAM, 'remove', { target: id }));
    await catchUp();
    assert.equal((await last(alice)).text, 'one');
    await root.home.conversations.act(LOBBY_STREAM, 'remove', { target: id, moderator: true });
    await deliver(root);
    assert.equal((await last(alice)).removed, true);
  });

  it('gives an erased message as a removed one', async () => {
    const id = await alice.say('one');
    await catchUp();
    assert.equal(await eraseBodies(bob.home.replica.log, LOBBY_STREAM, [0]), 1);
    const read = await last(bob);
    assert.deepEqual([read.id, read.text, read.removed], [id, '', true]);
  });

  it('counts who feels what, each once', async () => {
    for (const [what, stream] of streams()) {
      const id = await alice.say('one', stream);
      await catchUp();
      const react = async (bench: HomeBench, emoji: string, on = true): Promise<void> => {
        await bench.home.conversations.react(stream, id, emoji, on);
        await deliver(bench);
      };
      await react(bob, '👍');
      await react(bob, '👍');
      await react(alice, '👍');
      await react(alice, '🎉');
      const [a, b] = [alice.home.account, bob.home.account];
      assert.deepEqual(
        (await last(bob, stream)).reactions,
        [
          { emoji: '👍', by: [b, a] },
          { emoji: '🎉', by: [a] },
        ],
        what,
      );
      await react(bob, '👍', false);
      await react(alice, '🎉', false);
      assert.deepEqual((await last(alice, stream)).reactions, [{ emoji: '👍', by: [a] }], what);
      await react(alice, '👍', false);
      assert.equal((await last(bob, stream)).reactions, undefined, what);
    }
  });

  it('shows what a message answers as it is now, if it is of the same conversation', async () => {
    const pair = alice.pair(bob);
    const id = await alice.say('a question');
    const secret = await alice.say('a secret', pair);
    await catchUp();
    const reply = async (to: EntryId): Promise<ReadMessage> => {
      await bob.home.conversations.say(LOBBY_STREAM, { text: 'an answer', reply: to });
      await deliver(bob);
      return last(alice);
    };
    const author = alice.home.account;
    assert.deepEqual((await reply(id)).reply, { id, author, text: 'a question' });
    await alice.home.conversations.edit(LOBBY_STREAM, id, 'another question', false);
    await deliver(alice);
    assert.deepEqual((await last(bob)).reply, { id, author, text: 'another question' });
    await alice.home.conversations.act(LOBBY_STREAM, 'remove', { target: id });
    await deliver(alice);
    assert.deepEqual((await last(bob)).reply, { id, removed: true });
    assert.deepEqual((await reply(NONE)).reply, { id: NONE });
    assert.deepEqual((await reply(secret)).reply, { id: secret });
  });

  it('tells of the file that a message names, if others can find it by what they see', async () => {
    const file = { hash: HASH, size: 12, name: '../../x.txt', key: HASH };
    for (const [what, stream] of streams()) {
      await alice.home.conversations.say(stream, { text: '', file });
      await deliver(alice);
      const read = await last(bob, stream);
      assert.deepEqual(read.file === undefined ? undefined : encode(read.file), encode(file), what);
    }
  });

  it('finds messages by the id that they had first', async () => {
    const { conversations, replica } = alice.home;
    const entry = await conversations.say(LOBBY_STREAM, 'one');
    assert.deepEqual(conversations.reading.find(entry.id)?.standing, { state: 'sending' });
    await replica.withdraw(entry, 'OUT_OF_ORDER');
    await conversations.remake(LOBBY_STREAM);
    const [again] = replica.pending();
    assert.notEqual(again!.id, entry.id);
    for (const id of [entry.id, again!.id])
      assert.equal(conversations.reading.find(id)?.entry.id, again!.id);
    await deliver(alice);
    for (const id of [entry.id, again!.id])
      assert.deepEqual(conversations.reading.find(id)?.standing, { state: 'held', position: 0 });
    assert.equal(conversations.reading.find(NONE), undefined);
    // What is done about it by the old name is about the new one.
    await conversations.edit(LOBBY_STREAM, entry.id, 'two', false);
    await deliver(alice);
    assert.equal((await last(bob)).text, 'two');
    assert.equal((await last(alice)).id, entry.id);
  });

  it('finds nothing that the rules forbid, and no edit', async () => {
    const id = await alice.say('one');
    await alice.home.conversations.edit(LOBBY_STREAM, id, 'two', false);
    await deliver(alice);
    const { reading } = bob.home.conversations;
    const edit = bob.home.replica.log.item(LOBBY_STREAM, 1);
    assert.ok(edit?.type === 'entry');
    assert.equal(reading.find(edit.entry.id), undefined);
    const own = accountStream(bob.home.account);
    const forged = community.server.write(LOBBY_STREAM, 'say', { text: 'x' });
    const { seal } = community.of(LOBBY_STREAM).at(-1)!;
    const wire = wireOf(
      community.unjudged([forged], { seq: seal.seq + 1, first: 2, previous: seal.id }),
    );
    await bob.home.replica.ingest(wire.seal, wire.items);
    assert.ok(bob.home.replica.isVoid(LOBBY_STREAM, 2));
    assert.equal(reading.find(forged.id), undefined);
    assert.deepEqual(await bob.read(), ['two']);
    assert.deepEqual(await bob.read(own), []);
  });

  it('goes through a conversation both ways', async () => {
    for (const text of ['one', 'two', 'three']) await alice.say(text);
    const refused = await alice.home.conversations.say(LOBBY_STREAM, 'refused');
    await community.submit(refused, { admit: () => 'BLOCKED' });
    await catchUp();
    await alice.home.conversations.say(LOBBY_STREAM, 'four');
    const { reading } = alice.home.conversations;
    const texts = async (all: AsyncIterable<{ entry: Entry }>): Promise<(string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      for await (const { entry } of all) found.push((await reading.original(entry))?.text);
      return found;
    };
    const expected = ['one', 'two', 'three', 'refused', 'four'];
    assert.deepEqual(await texts(reading.forwards(LOBBY_STREAM)), expected);
    assert.deepEqual(await texts(reading.backwards(LOBBY_STREAM)), expected.toReversed());
    assert.deepEqual(await texts(reading.backwards(LOBBY_STREAM, 2)), ['four', 'refused', 'three']);
    const states: string[] = [];
    for await (const { standing } of reading.forwards(LOBBY_STREAM)) states.push(standing.state);
    assert.deepEqual(states, ['held', 'held', 'held', 'refused', 'sending']);
  });

  it('knows whether the newest messages are all here', async () => {
    for (const text of ['one', 'two', 'three', 'four']) await alice.say(text);
    const late = await stage.open(await community.join('carol'), { empty: true });
    for (const batch of community.of('space')) {
      const { seal, items } = wireOf(batch);
      await late.home.replica.ingest(seal, items);
    }
    const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
    await late.home.replica.adopt(seal, records);
    const batches = community.of(LOBBY_STREAM).toReversed().map(wireOf);
    const { reading } = late.home.conversations;
    assert.equal(await reading.hasNewest(LOBBY_STREAM, 1), false);
    await late.home.replica.ingestOlder(LOBBY_STREAM, batches.slice(0, 2));
    assert.equal(await reading.hasNewest(LOBBY_STREAM, 2), true);
    assert.equal(await reading.hasNewest(LOBBY_STREAM, 3), false);
    await late.home.replica.ingestOlder(LOBBY_STREAM, batches.slice(2));
    assert.equal(await reading.hasNewest(LOBBY_STREAM, 99), true);
    await late.home.settled();
  });

  /** Where the chain of a device goes on that has written through its home. */
  function next(bench: HomeBench): object {
    const { state } = bench.home.replica.log.opened(LOBBY_STREAM)!;
    const head = state.get<{ seq: number; id: EntryId }>('head', bench.member.id)!;
    return { seq: head.seq + 1, previous: head.id };
  }

  describe('shows calls that are over', () => {
    const CALL = { call: 'c'.repeat(32), seconds: 60, people: 2 };
    /** The server says that there was a call. */
    const called = async (stream: StreamName, change: object): Promise<Entry> => {
      const entry = community.server.write(stream, 'call', { ...CALL, ...change });
      await community.seal(entry);
      await catchUp();
      return entry;
    };

    it('among messages, in their order', async () => {
      await alice.say('before');
      const { id, time } = await called(LOBBY_STREAM, { outcome: 'ended', people: 4 });
      await bob.say('after');
      await catchUp();
      const { reading } = alice.home.conversations;
      const all = await reading.newest(LOBBY_STREAM, 9);
      assert.deepEqual(
        all.map(({ text }) => text),
        ['before', '', 'after'],
      );
      assert.deepEqual(all[1], {
        ...{ id, stream: LOBBY_STREAM, position: 1, author: undefined, text: '', time },
        ...{ state: 'held', call: { ...CALL, outcome: 'ended', people: 4 } },
      });
      const found: string[] = [];
      for await (const { entry } of reading.forwards(LOBBY_STREAM)) found.push(entry.kind);
      for await (const { entry } of reading.backwards(LOBBY_STREAM)) found.push(entry.kind);
      assert.deepEqual(found, ['say', 'call', 'say', 'say', 'call', 'say']);
    });

    it('of two with who called, also where all else is sealed', async () => {
      const stream = alice.pair(bob);
      await alice.say('hi', stream);
      const body = { outcome: 'missed', caller: alice.home.account, people: 1 };
      await called(stream, body);
      for (const bench of [alice, bob]) {
        const { author, call } = await last(bench, stream);
        assert.deepEqual([author, call?.outcome], [alice.home.account, 'missed']);
      }
    });

    it('as nothing that is found by its id or its words, or that anything can be done about', async () => {
      const { id } = await called(LOBBY_STREAM, { outcome: 'ended' });
      const { reading } = alice.home.conversations;
      assert.equal(reading.find(id), undefined);
      for (const words of ['call', 'ended', CALL.call])
        assert.deepEqual(await alice.home.search.search(words), []);
      await alice.home.conversations.react(LOBBY_STREAM, id, '👍', true);
      await alice.deliver();
      const { call, reactions } = await last(alice);
      assert.ok(call !== undefined && reactions === undefined);
    });

    it('only where the server says so', async () => {
      const by = alice.member;
      const { seal, items } = wireOf(
        community.unjudged([by.forge(LOBBY_STREAM, 'call', { ...CALL, outcome: 'ended' })]),
      );
      await bob.home.replica.ingest(seal, items);
      assert.deepEqual(await bob.home.conversations.newest(LOBBY_STREAM, 9), []);
    });
  });
});
