/** Commands about messages that have been said, over the product's own client and server. */
import assert from 'node:assert/strict';
import { Situation } from '../../lib/app/situation.ts';
import type { MessageView, UnreadView } from '../../lib/app/types.ts';
import { contentEventOf, viewOf } from '../../lib/app/views.ts';
import { LOBBY_STREAM, pairStream } from '../../lib/crdt/stream.ts';
import { callInVain } from '../support/call-lines.ts';
import { contextOf } from '../support/commands.ts';
import { eventually } from '../support/channels.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';

type Data = Record<string, unknown> & { id: string };

describe('commands about messages', () => {
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  const situations = new Map<TestClient, Situation>();
  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice', 'secret');
    bob = await world.join('bob');
    for (const one of [alice, bob]) situations.set(one, new Situation());
    await eventually('both accounts', () => alice.home.names().length === 2);
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual([...alice.faults, ...bob.faults, ...world.faults], []);
  });

  const situationOf = (who: TestClient): Situation => situations.get(who) ?? new Situation();
  const run = async (
    who: TestClient,
    name: string,
    args: Record<string, string> = {},
  ): Promise<Data> => {
    const handler = HANDLERS[name] ?? assert.fail(name);
    const context = { ...contextOf(who.client), situation: situationOf(who) };
    return (await handler(args, context)) as Data;
  };
  const say = async (who: TestClient, text: string): Promise<string> =>
    (await run(who, 'say', { text })).id;
  const listed = async (who: TestClient, conversation = '#lobby'): Promise<MessageView[]> =>
    (await run(who, 'history', { conversation }))['messages'] as MessageView[];
  const both = (what: string, check: (who: TestClient) => Promise<boolean>): Promise<void> =>
    eventually(what, async () => (await check(alice)) && (await check(bob)));
  const reads = async (who: TestClient): Promise<string[]> =>
    (await listed(who)).map(({ from, text, edited }) => `${from}: ${text}${edited ? ' *' : ''}`);

  describe('edit', () => {
    it('gives one’s own newest another text, or an older one, for everybody', async () => {
      for (const text of ['one', 'two']) await say(alice, text);
      await bob.hears('two');
      const { state, room } = await run(alice, 'edit', { message: '1', text: 'second' });
      assert.deepEqual([state, room], ['held', 'lobby']);
      await run(alice, 'edit', { message: '2', text: 'first' });
      await both(
        'the texts',
        async (who) => (await reads(who)).join() === 'alice: first *,alice: second *',
      );
      await eventually('the news', () => bob.news.length === 2);
      const [event] = bob.news.map((news) => contentEventOf(bob.home, news));
      const id = (await listed(bob))[1]?.id;
      assert.deepEqual(event, { event: 'edited', id, by: 'alice', room: 'lobby', text: 'second' });
    });

    it('is for nobody else, but for those who may change messages', async () => {
      const id = await say(alice, 'mine');
      await bob.hears('mine');
      await assert.rejects(run(bob, 'edit', { message: id, text: 'ours' }), { code: 'DENIED' });
      await assert.rejects(run(bob, 'remove', { message: id }), { code: 'DENIED' });
      await assert.rejects(run(bob, 'versions', { message: id }), { code: 'DENIED' });
      assert.equal(await world.server.crown('bob'), true);
      await eventually('the crown', () => bob.home.record?.group === 'admin');
      await run(bob, 'edit', { message: id, text: 'ours' });
      await both('the text', async (who) => (await reads(who))[0] === 'alice: ours *');
      const { versions } = await run(bob, 'versions', { message: id });
      const told = (versions as { text: string; user: string }[]).map(
        ({ text, user }) => `${user}: ${text}`,
      );
      assert.deepEqual(told, ['alice: mine', 'bob: ours']);
      assert.equal(((await run(alice, 'versions', { message: '1' }))['versions'] as []).length, 2);
    });

    it('of a direct message is for its author alone, whoever that is', async () => {
      const { id } = await run(alice, 'message', { user: 'bob', message: 'psst' });
      await bob.hears('psst');
      await world.server.crown('bob');
      await eventually('the crown', () => bob.home.record?.group === 'admin');
      await assert.rejects(run(bob, 'edit', { message: id, text: 'x' }), { code: 'DENIED' });
      await run(alice, 'edit', { message: id, text: 'pst' });
      await eventually('it', async () => (await listed(bob, '@alice'))[0]?.text === 'pst');
    });

    it('is refused for a text that is too long or missing', async () => {
      await say(alice, 'mine');
      const edit = (text: string): Promise<Data> => run(alice, 'edit', { message: '1', text });
      await assert.rejects(edit('x'.repeat(16 * 1024 + 1)), { code: 'TOO_LARGE' });
      await assert.rejects(edit(''), { code: 'USAGE' });
      await edit('ä'.repeat(8 * 1024));
    });
  });

  describe('remove', () => {
    it('leaves nothing of a message, its edits and reactions, and names nobody', async () => {
      const id = await say(alice, 'regrettable');
      await run(alice, 'edit', { message: '1', text: 'regretted' });
      await bob.hears('regrettable');
      await run(bob, 'react', { message: id, emoji: '👍' });
      await run(alice, 'remove', { message: id });
      await both('its end', async (who) => (await reads(who))[0] === ': *Message Removed*');
      const [view] = await listed(bob);
      assert.deepEqual(Object.keys(view!).sort(), [
        'from',
        'id',
        'mine',
        'removed',
        'room',
        'text',
        'time',
      ]);
      for (const [name, args] of [
        ['edit', { text: 'x' }],
        ['remove', {}],
        ['react', { emoji: 'x' }],
        ['reply', { text: 'x' }],
        ['versions', {}],
      ] as const)
        await assert.rejects(run(alice, name, { message: id, ...args }), {
          code: 'NO_SUCH_MESSAGE',
        });
      await eventually('no body', async () => {
        for (const { home } of [alice, bob])
          for await (const { item } of home.replica.log.items(LOBBY_STREAM, 0, 10))
            if (
              item.type === 'entry' &&
              item.entry.kind !== 'remove' &&
              item.entry.body !== undefined
            )
              return false;
        return true;
      });
      assert.deepEqual((await run(bob, 'search', { words: 'regretted' }))['messages'], []);
    });

    it('tells others, also of what they had not been told', async () => {
      const id = await say(alice, 'one');
      await bob.hears('one');
      await run(alice, 'remove', { message: '1' });
      await eventually('the news', () => bob.news.length === 1);
      assert.deepEqual(contentEventOf(bob.home, bob.news[0]!), {
        event: 'removed',
        id,
        by: 'alice',
        room: 'lobby',
      });
    });
  });

  describe('reply', () => {
    it('says what it answers, and in the conversation where that is', async () => {
      await run(bob, 'message', { user: 'alice', message: 'Shall we have lunch at eight?' });
      await alice.hears('Shall we have lunch at eight?');
      const [first] = await listed(alice, '@bob');
      const data = await run(alice, 'reply', { message: first!.id, text: 'rather at twelve' });
      const quote = { id: first!.id, from: 'bob', text: 'Shall we have lunch at eight?' };
      assert.deepEqual([data['to'], data['reply'], data['state']], ['bob', quote, 'held']);
      await bob.hears('rather at twelve');
      assert.deepEqual(viewOf(bob.home, bob.messages.at(-1)!).reply, quote);
      await run(bob, 'edit', { message: first!.id, text: 'no' });
      await eventually(
        'the edit',
        async () => (await listed(alice, '@bob'))[1]?.reply?.text === 'no',
      );
      await run(bob, 'remove', { message: first!.id });
      await eventually(
        'its end',
        async () => (await listed(alice, '@bob'))[1]?.reply?.text === '*Message Removed*',
      );
      assert.equal((await listed(alice, '@bob'))[1]?.reply?.from, undefined);
    });

    it('shows nothing of another conversation, whatever it claims to answer', async () => {
      await run(bob, 'message', { user: 'alice', message: 'secret' });
      await alice.hears('secret');
      const [secret] = await listed(alice, '@bob');
      const entry = await bob.home.conversations.say(LOBBY_STREAM, {
        text: 'see',
        reply: secret!.id as never,
      });
      await bob.home.outbox.answer(entry.id);
      await alice.hears('see');
      assert.deepEqual((await listed(alice)).at(-1)?.reply, { id: secret!.id });
    });
  });

  describe('react', () => {
    const reactions = async (who: TestClient): Promise<unknown> =>
      (await listed(who))[0]?.reactions;

    it('says something, and takes it back the second time', async () => {
      await say(alice, 'lunch?');
      await bob.hears('lunch?');
      assert.equal((await run(bob, 'react', { message: '^', emoji: '👍' }))['on'], true);
      await run(alice, 'react', { message: '1', emoji: '👍' });
      await run(alice, 'react', { message: '1', emoji: 'ok' });
      const all = [
        { emoji: '👍', users: ['bob', 'alice'] },
        { emoji: 'ok', users: ['alice'] },
      ];
      await both(
        'them',
        async (who) => JSON.stringify(await reactions(who)) === JSON.stringify(all),
      );
      assert.equal((await run(bob, 'react', { message: '^', emoji: '👍' }))['on'], false);
      await both(
        'less',
        async (who) => JSON.stringify(await reactions(who))?.includes('bob') === false,
      );
      await eventually('the news', () => alice.news.length === 2);
      const told = alice.news.map((news) => contentEventOf(alice.home, news));
      const about = { from: 'alice', text: 'lunch?' };
      assert.deepEqual(
        told.map(
          (event) => event?.event === 'reacted' && [event.by, event.emoji, event.on, event.about],
        ),
        [
          ['bob', '👍', true, about],
          ['bob', '👍', false, about],
        ],
      );
    });

    it('takes one sign', async () => {
      await say(alice, 'lunch?');
      const react = (emoji: string): Promise<Data> => run(alice, 'react', { message: '1', emoji });
      await assert.rejects(react('x'.repeat(33)), { code: 'TOO_LARGE' });
      for (const emoji of ['', 'a b', 'a\u001b[2J', '\u202e'])
        await assert.rejects(react(emoji), { code: 'USAGE' });
      await react('👩‍👩‍👧');
    });
  });

  it('work while the server is away, and are done once it is back', async () => {
    await say(alice, 'one');
    await say(alice, 'two');
    await bob.hears('two');
    await world.close();
    await eventually('no server', () => !alice.client.connected);
    assert.equal((await run(alice, 'edit', { message: '2', text: 'first' }))['state'], 'queued');
    await run(alice, 'react', { message: '2', emoji: '👍' });
    await run(alice, 'remove', { message: '1' });
    const here = ['alice: first *', ': *Message Removed*'];
    assert.deepEqual(await reads(alice), here);
    await world.open();
    await both('it', async (who) => (await reads(who)).join() === here.join());
    await eventually('the reaction', async () => (await listed(bob))[0]?.reactions?.length === 1);
  });

  it('mark where one is named', async () => {
    await say(alice, 'hey @Bob, and @alice');
    await bob.hears('hey @Bob, and @alice');
    assert.equal(viewOf(bob.home, bob.messages[0]!).mention, true);
    assert.equal((await listed(alice))[0]?.mention, undefined, 'not by oneself');
    await say(alice, 'bob');
    await bob.hears('bob');
    assert.equal(viewOf(bob.home, bob.messages[1]!).mention, undefined);
  });

  describe('notifications', () => {
    const unread = async (who: TestClient): Promise<UnreadView[]> =>
      (await run(who, 'notifications'))['unread'] as UnreadView[];

    it('list what is unread, those that name one first, and who asks', async () => {
      await say(alice, 'one');
      await say(alice, 'two');
      await run(alice, 'message', { user: 'bob', message: 'psst @bob' });
      await bob.hears('psst @bob');
      await run(alice, 'request', { user: 'bob' });
      await eventually('the request', () => bob.told.includes('request: incoming'));
      const { unread: list, requests } = await run(bob, 'notifications');
      assert.deepEqual(list, [
        { to: 'alice', count: 1, mentions: 1 },
        { room: 'lobby', count: 2, mentions: 0 },
      ]);
      assert.deepEqual(requests, { incoming: ['alice'], outgoing: [] });
      assert.deepEqual(await unread(alice), []);
    });

    it('are less for what was shown, and for what was answered', async () => {
      await say(alice, 'one');
      await run(alice, 'message', { user: 'bob', message: 'psst' });
      await bob.hears('psst');
      assert.equal((await unread(bob)).length, 2);
      await listed(bob);
      assert.deepEqual(
        (await unread(bob)).map(({ to }) => to),
        ['alice'],
      );
      await run(bob, 'message', { user: 'alice', message: 'yes?' });
      assert.deepEqual(await unread(bob), []);
    });

    it('count calls that were missed, which history shows', async () => {
      const cat = await world.member('cat');
      await callInVain(cat, alice.home.account);
      await eventually('the call', () => alice.missed.length === 1);
      await eventually('cat', () => alice.home.names().includes('cat'));
      assert.deepEqual(await unread(alice), [{ to: 'cat', count: 1, mentions: 0, missed: 1 }]);
      const { messages } = await run(alice, 'history', { conversation: '@cat' });
      const [call] = messages as MessageView[];
      assert.deepEqual(
        [call?.from, call?.to, call?.text, call?.mine],
        [...['cat', 'alice', 'Missed call', false]],
      );
      assert.deepEqual(call?.call, { outcome: 'missed', seconds: 0, people: 1 });
      assert.deepEqual(alice.texts, []);
      assert.deepEqual(await unread(alice), []);
      const message = call?.id ?? assert.fail();
      for (const [name, args] of [
        ['edit', { message, text: 'x' }],
        ['remove', { message }],
        ['react', { message, emoji: '👍' }],
        ['reply', { message, text: 'x' }],
      ] as const)
        await assert.rejects(run(alice, name, args), { code: 'NO_SUCH_MESSAGE' }, name);
    });

    it('are the same on another device, and complete on a new one', async () => {
      for (let n = 0; n < 40; n++) await say(bob, `${n}`);
      await alice.hears('39');
      alice.home.unread.read(LOBBY_STREAM, 10, true);
      await alice.client.settle();
      const phone = await world.client();
      await phone.client.connect();
      await phone.client.loginPassword('alice', 'secret');
      assert.deepEqual(await unread(phone), [{ room: 'lobby', count: 30, mentions: 0 }]);
      await listed(phone);
      await phone.client.settle();
      await eventually('both', async () => (await unread(alice)).length === 0);
    });
  });

  describe('receipts of what was read', () => {
    const progress = async (
      who: TestClient,
      conversation?: string,
    ): Promise<MessageView['progress']> => (await listed(who, conversation))[0]?.progress;

    it('come to the author, live and after a restart of the server', async () => {
      await say(alice, 'one');
      await bob.hears('one');
      await listed(bob);
      await bob.client.settle();
      const read = { state: 'held', on: 1, of: 1, read: 1 };
      await eventually(
        'the receipt',
        async () => JSON.stringify(await progress(alice)) === JSON.stringify(read),
      );
      await run(alice, 'message', { user: 'bob', message: 'psst' });
      await bob.hears('psst');
      await world.close();
      await eventually('no server', () => !alice.client.connected);
      await listed(bob, '@alice');
      await world.open();
      await eventually(
        'the other',
        async () => JSON.stringify(await progress(alice, '@bob')) === JSON.stringify(read),
      );
      assert.deepEqual(await progress(alice), read);
    });

    it('do not come from those who do not want it', async () => {
      await say(alice, 'one');
      await bob.hears('one');
      situationOf(bob).tellsReading = false;
      await listed(bob);
      await bob.client.settle();
      // What is told afterwards comes after what would have been.
      situationOf(bob).tellsReading = true;
      await say(alice, 'two');
      await bob.hears('two');
      await listed(bob);
      await bob.client.settle();
      await eventually('the second', async () => {
        const last = (await listed(alice)).at(-1);
        return last?.progress?.read === 1;
      });
      // That a device has it is told apart from what was read there.
      await eventually('the receipt', async () => (await progress(alice))?.on === 1);
      assert.deepEqual(await progress(alice), { state: 'held', on: 1, of: 1 });
    });
  });

  describe('history', () => {
    it('of a room that is closed to one says so', async () => {
      const id = await alice.client.rooms.create({ name: 'vault', private: true }, undefined);
      await eventually('the room', () => bob.home.roomName(`room/${id}`) === 'vault');
      await assert.rejects(run(bob, 'history', { conversation: '#vault' }), { code: 'NOT_MEMBER' });
      assert.deepEqual(await listed(alice, '#vault'), []);
    });

    it('fetches what is not here', async () => {
      for (let n = 0; n < 30; n++) await say(bob, `${n}`);
      const phone = await world.client();
      await phone.client.connect();
      await phone.client.loginPassword('alice', 'secret');
      const stream = pairStream(alice.home.account, bob.home.account);
      assert.equal(phone.home.replica.log.headOf(stream).length, 0);
      const texts = (await listed(phone)).map(({ text }) => text);
      assert.deepEqual(
        texts,
        Array.from({ length: 20 }, (_, n) => `${n + 10}`),
      );
    });
  });
});
