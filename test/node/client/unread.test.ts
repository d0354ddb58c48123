import assert from 'node:assert/strict';
import fc from 'fast-check';
import { actionOf } from '../../../lib/crdt/bodies.ts';
import type { Entry } from '../../../lib/crdt/entry.ts';
import type { EntryId, RoomId } from '../../../lib/crdt/keys.ts';
import {
  accountStream,
  LOBBY_STREAM,
  roomStream,
  type StreamName,
} from '../../../lib/crdt/stream.ts';
import { MOST_UNREAD, type Unread } from '../../../lib/node/client/unread.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';

describe('what is unread', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let bench: HomeBench;
  let benches: HomeBench[];

  const found = async (): Promise<void> => {
    community = await SealedCommunity.found();
    benches = [];
    alice = await community.join('alice');
    bob = await community.join('bob');
    bench = await open(alice);
  };
  const open = async (member: Member, options?: { empty?: boolean }): Promise<HomeBench> => {
    const opened = await HomeBench.open(community, member, options);
    benches.push(opened);
    return opened;
  };
  const close = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const one of benches.splice(0)) {
      await one.stop();
      faults.push(...one.faults);
    }
    assert.deepEqual(faults, []);
  };
  beforeEach(found);
  afterEach(close);

  /** Somebody else says something, and it has come. */
  const says = async (text: string, stream?: StreamName, by = bob): Promise<Entry> => {
    const entry = await community.say(by, text, stream);
    await bench.catchUp();
    return entry;
  };
  const unread = (of: HomeBench = bench, stream: StreamName = LOBBY_STREAM): Promise<Unread> =>
    of.home.unread.of(stream);
  const count = async (of?: HomeBench, stream?: StreamName): Promise<number> =>
    (await unread(of, stream)).count;
  /** What was read is written, sealed and has come. */
  const noted = async (of: HomeBench = bench): Promise<number> => {
    await of.home.unread.flush();
    return (await of.deliver()).length;
  };
  const read = async (of: HomeBench = bench, until = Infinity): Promise<number> => {
    of.home.unread.read(LOBBY_STREAM, until, true);
    return noted(of);
  };

  it('are the messages of others since it was last read', async () => {
    assert.deepEqual(await unread(), { count: 0, mentions: 0, more: false });
    await says('one');
    assert.equal(await count(), 1);
    await bench.say('my own');
    await says('two');
    assert.equal(await count(), 2);
    assert.equal(await read(), 1);
    assert.equal(await count(), 0);
    await says('three');
    assert.deepEqual(await unread(), { count: 1, mentions: 0, more: false });
  });

  it('is what comes after the position up to which it was read', async () => {
    for (const text of ['one', 'two', 'three']) await says(text);
    await read(bench, 2);
    assert.equal(await count(), 1);
    // Never back.
    assert.equal(await read(bench, 1), 0);
    assert.equal(await count(), 1);
  });

  it('is no message that says something about another, nor one that was removed', async () => {
    const { id } = await says('one');
    const say = (kind: string, body: object): Promise<Entry> =>
      community.seal(bob.write(LOBBY_STREAM, kind, { target: id, ...body }));
    await say('react', { emoji: '👍', on: true });
    await say('edit', { text: 'else' });
    await bench.catchUp();
    assert.equal(await count(), 1);
    await say('remove', {});
    await bench.catchUp();
    assert.equal(await count(), 0);
  });

  it('are mentions among them', async () => {
    await says('hi @Alice');
    await says('hi alice, and @alicea, and a@alice');
    assert.deepEqual(await unread(), { count: 2, mentions: 1, more: false });
    await read();
    assert.equal((await unread()).mentions, 0);
  });

  it('is nothing that was said before there was the account', async () => {
    for (const text of ['one', 'two']) await says(text);
    const carol = await open(await community.join('carol'));
    assert.equal(await count(carol), 0);
    await community.say(bob, 'three');
    await carol.catchUp();
    assert.equal(await count(carol), 1);
  });

  it('is the same on every device, also on one that is started anew', async () => {
    const phone = await open(await community.enrol(alice));
    await says('one');
    await phone.catchUp();
    assert.deepEqual([await count(), await count(phone)], [1, 1]);
    await read();
    await phone.catchUp();
    assert.equal(await count(phone), 0);
    await bench.restart();
    assert.equal(await count(), 0);
    const { state } = await bench.home.replica.log.open(accountStream(alice.account));
    assert.equal(state.get('read', LOBBY_STREAM), 1);
  });

  it('survives a restart before the server has heard of it', async () => {
    await says('one');
    bench.home.unread.read(LOBBY_STREAM, 1, true);
    await bench.restart();
    assert.equal(await count(), 0);
    assert.deepEqual(await bench.deliver(), ['sealed']);
  });

  it('is noted once for many, and not where there was nothing of others', async () => {
    for (let n = 0; n < 20; n++) {
      await says(`${n}`);
      bench.home.unread.read(LOBBY_STREAM, Infinity, true);
    }
    assert.equal(await noted(), 1);
    await bench.say('my own');
    assert.equal(await read(), 0);
    assert.equal(await read(), 0);
    await says('another');
    assert.equal(await read(), 1);
  });

  it('says whether authors may know', async () => {
    await says('one');
    bench.home.unread.read(LOBBY_STREAM, 1, false);
    await says('two');
    // Whatever was decided since, it holds for what is read from then on.
    assert.equal(await read(), 2);
    const marks = community
      .of(accountStream(alice.account))
      .flatMap(({ items }) => items)
      .map((item) => item.type === 'entry' && actionOf(item.entry, 'account')?.body);
    const lobby = { stream: LOBBY_STREAM };
    assert.deepEqual(marks, [
      { ...lobby, until: 1, tell: false },
      { ...lobby, until: 2, tell: true },
    ]);
  });

  it('goes up to what a person has been told of', async () => {
    await says('one');
    bench.home.unread.seen(LOBBY_STREAM, true);
    assert.equal(await count(), 0);
    await bench.restart({ isQuiet: true });
    await says('two');
    bench.home.unread.seen(LOBBY_STREAM, true);
    assert.equal(await count(), 1);
  });

  it('is not counted to its end where there is very much', async function () {
    this.timeout(60_000);
    const texts = Array.from({ length: MOST_UNREAD + 50 }, (_, n) => `${n} @alice`);
    for (const text of texts) await community.say(bob, text);
    await bench.catchUp();
    assert.deepEqual(await unread(), { count: 999, mentions: 999, more: true });
    await says('one more');
    assert.deepEqual(await unread(), { count: 999, mentions: 999, more: true });
    await read(bench, texts.length - 10);
    assert.deepEqual(await unread(), { count: 11, mentions: 10, more: false });
  });

  it('of direct talks is sealed, and of somebody blocked is hidden', async () => {
    const pair = bench.pair({ member: bob });
    const key = new Uint8Array(32).fill(5);
    const epoch = bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, key));
    await community.seal(epoch);
    await community.seal(bob.sealed(pair, epoch.id, key, 'psst @alice'));
    await bench.catchUp();
    assert.deepEqual(await unread(bench, pair), { count: 1, mentions: 1, more: false });
    assert.deepEqual([...(await bench.home.unread.all()).keys()], [pair]);
    await bench.home.conversations.act(accountStream(alice.account), 'block', {
      account: bob.account,
      blocked: true,
    });
    await bench.deliver();
    assert.equal(await count(bench, pair), 0);
    assert.equal((await bench.home.unread.all()).size, 0);
  });

  describe('of rooms', () => {
    let room: RoomId;
    let stream: StreamName;
    beforeEach(async () => {
      const made = bob.write('space', 'room', { name: 'den', private: false });
      await community.seal(made);
      room = made.id.slice(0, 32) as RoomId;
      stream = roomStream(room);
      await bench.catchUp();
    });
    const join = async (): Promise<void> => {
      await bench.home.conversations.act('space', 'join', { room });
      await bench.deliver();
    };

    it('is what was said since one came', async () => {
      await says('before', stream);
      assert.equal(await count(bench, stream), 0, 'not in it');
      await join();
      assert.equal(await count(bench, stream), 0);
      await says('after', stream);
      assert.equal(await count(bench, stream), 1);
      await noted();
      await bench.restart();
      assert.equal(await count(bench, stream), 1);
    });

    it('is nothing any more once one has left', async () => {
      await join();
      await says('after', stream);
      await bench.home.conversations.act('space', 'leave', { room });
      await bench.deliver();
      assert.equal(await count(bench, stream), 0);
      assert.equal((await bench.home.unread.all()).size, 0);
    });
  });

  it('is incomplete where older messages that were not read are not here', async () => {
    for (let n = 0; n < 30; n++) await says(`${n}`);
    await read(bench, 10);
    const phone = await open(await community.enrol(alice), { empty: true });
    const { replica, unread: marks } = phone.home;
    for (const stream of ['space', accountStream(alice.account)] as const)
      for (const { seal, items } of community.of(stream))
        await replica.ingest(
          seal.bytes,
          items.map(({ bytes }) => bytes),
        );
    const lobby = community.of(LOBBY_STREAM);
    const records = [...community.log.opened(LOBBY_STREAM)!.state.records()];
    await replica.adopt(lobby.at(-1)!.seal.bytes, records);
    const older = (from: number, until: number): Promise<unknown> =>
      replica.ingestOlder(
        LOBBY_STREAM,
        lobby
          .slice(from, until)
          .reverse()
          .map(({ seal, items }) => ({ seal: seal.bytes, items: items.map(({ bytes }) => bytes) })),
      );
    await older(25, 30);
    assert.equal(await marks.isIncomplete(LOBBY_STREAM), true);
    assert.deepEqual(await marks.of(LOBBY_STREAM), { count: 5, mentions: 0, more: true });
    await older(5, 25);
    assert.equal(await marks.isIncomplete(LOBBY_STREAM), false);
    assert.deepEqual(await marks.of(LOBBY_STREAM), { count: 20, mentions: 0, more: false });
  });

  it('is counted right whatever is said, read, removed and restarted', async function () {
    this.timeout(60_000);
    const deed = fc.oneof(
      fc.record({ type: fc.constantFrom('said', 'own', 'mention', 'noted', 'restart') }),
      fc.record({ type: fc.constant('read'), at: fc.nat({ max: 100 }) }),
      fc.record({ type: fc.constant('remove'), at: fc.nat({ max: 100 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 25 }), async (deeds) => {
        await close();
        await found();
        const items: { id?: EntryId; isOther: boolean; isMention: boolean; isRemoved: boolean }[] =
          [];
        const push = (id: EntryId | undefined, isOther: boolean, isMention: boolean): void => {
          items.push({ ...(id === undefined ? {} : { id }), isOther, isMention, isRemoved: false });
        };
        let mark = 0;
        for (const one of deeds) {
          const at = 'at' in one && items.length > 0 ? one.at % items.length : 0;
          if (one.type === 'said') push((await says('hi')).id, true, false);
          else if (one.type === 'mention') push((await says('hi @alice')).id, true, true);
          else if (one.type === 'own') push(await bench.say('me'), false, false);
          else if (one.type === 'noted') await noted();
          else if (one.type === 'restart') await bench.restart();
          else if (one.type === 'read') {
            bench.home.unread.read(LOBBY_STREAM, at, true);
            mark = Math.max(mark, at);
          } else {
            const target = items[at];
            if (target?.id === undefined || !target.isOther || target.isRemoved) continue;
            target.isRemoved = true;
            await community.seal(bob.write(LOBBY_STREAM, 'remove', { target: target.id }));
            await bench.catchUp();
            push(undefined, false, false);
          }
          const left = items
            .slice(mark)
            .filter(({ id, isOther, isRemoved }) => id !== undefined && isOther && !isRemoved);
          assert.deepEqual(await unread(), {
            count: left.length,
            mentions: left.filter(({ isMention }) => isMention).length,
            more: false,
          });
        }
      }),
      { numRuns: 25 },
    );
  });

  describe('counts calls', () => {
    const CALL = { call: 'c'.repeat(32), seconds: 0, people: 2 };
    const pair = (): StreamName => bench.pair({ member: bob });
    const called = async (caller: Member, outcome: 'missed' | 'ended'): Promise<void> => {
      const body = { ...CALL, outcome, caller: caller.account };
      await community.seal(community.server.write(pair(), 'call', body));
      await bench.catchUp();
    };

    it('that were missed, and no others', async () => {
      await called(bob, 'ended');
      await called(alice, 'missed');
      assert.equal(await count(bench, pair()), 0);
      await called(bob, 'missed');
      assert.deepEqual(await unread(bench, pair()), {
        ...{ count: 1, mentions: 0, more: false, missed: 1 },
      });
      await called(bob, 'missed');
      assert.equal((await unread(bench, pair())).missed, 2);
      await community.seal(
        community.server.write(LOBBY_STREAM, 'call', { ...CALL, outcome: 'ended' }),
      );
      await bench.catchUp();
      assert.equal(await count(), 0);
      assert.deepEqual([...(await bench.home.unread.all()).keys()], [pair()]);
    });

    it('until they have been seen, which is noted', async () => {
      await called(bob, 'missed');
      bench.home.unread.seen(pair(), true);
      assert.deepEqual(await unread(bench, pair()), { count: 0, mentions: 0, more: false });
      assert.equal(await noted(), 1);
      // After one's own there is nothing to be noted.
      await called(alice, 'missed');
      bench.home.unread.seen(pair(), true);
      assert.equal(await noted(), 0);
    });

    it('with messages, over a restart', async () => {
      await called(bob, 'missed');
      const theirs = await open(bob);
      await theirs.say('are you there, @alice?', pair());
      await bench.catchUp();
      const both = { count: 2, mentions: 1, more: false, missed: 1 };
      assert.deepEqual(await unread(bench, pair()), both);
      await bench.restart();
      assert.deepEqual(await unread(bench, pair()), both);
    });
  });
});
