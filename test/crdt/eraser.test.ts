import assert from 'node:assert/strict';
import { MAX_ANNOTATIONS } from '../../lib/crdt/content.ts';
import { type Entry } from '../../lib/crdt/entry.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { openBatch } from '../../lib/crdt/seal.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';
import { EraserBench, holds, type BenchOptions } from '../support/erasing.ts';
import { snapshotOf } from '../support/replicas.ts';
import { temporary } from '../support/temporary.ts';

const KEY = new Uint8Array(32).fill(3);

/** A store whose process dies where it is about to rewrite its files. */
function dyingAtPurge(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'purge') return () => Promise.reject(new Error('killed'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('the eraser', () => {
  const { newDirectory } = temporary();
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;
  const benches: EraserBench[] = [];

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    const admin = { account: alice.account, group: 'admin' };
    await community.seal(community.server.write('space', 'setgroup', admin));
    pair = pairStream(alice.account, bob.account);
  });
  afterEach(async () => {
    const faults: unknown[] = [];
    for (const bench of benches.splice(0)) {
      await bench.close();
      faults.push(...bench.faults);
    }
    assert.deepEqual(faults, []);
  });

  const open = async (where: 'server' | 'replica', device = alice): Promise<EraserBench> => {
    const directory = await newDirectory();
    const bench =
      where === 'server'
        ? await EraserBench.server(community, directory)
        : await EraserBench.replica(community, device, directory);
    benches.push(bench);
    return bench;
  };
  const edit = (by: Member, target: EntryId, text: string, change: object = {}): Entry =>
    by.write(LOBBY_STREAM, 'edit', { target, text, ...change });
  const react = (by: Member, target: EntryId, emoji: string): Entry =>
    by.write(LOBBY_STREAM, 'react', { target, emoji, on: true });
  const remove = (by: Member, target: EntryId, change: object = {}): Entry =>
    by.write(LOBBY_STREAM, 'remove', { target, ...change });
  const vengeance = (member: Member): Entry =>
    alice.write('space', 'removeuser', { account: member.account, vengeance: true });

  for (const where of ['server', 'replica'] as const) {
    describe(`of a ${where}`, () => {
      let bench: EraserBench;
      beforeEach(async () => {
        bench = await open(where);
      });

      it('erases a message with all that was said about it, and nothing else', async () => {
        const { id } = await community.say(bob, 'the secret plan');
        const other = await community.say(bob, 'another matter');
        await community.seal(edit(bob, id, 'the secret idea'));
        await community.seal(edit(bob, other.id, 'another subject'));
        await community.seal(react(alice, id, 'secret-emoji'));
        await community.seal(react(alice, other.id, 'other-emoji'));
        await community.say(alice, 'spoken in between');
        const gone = ['the secret plan', 'the secret idea', 'secret-emoji'];
        const stays = ['another matter', 'another subject', 'other-emoji', 'spoken in between'];
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left(...gone, ...stays), [...gone, ...stays]);
        const state = await bench.state(LOBBY_STREAM);

        await community.seal(remove(bob, id));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left(...gone, ...stays), stays);
        assert.deepEqual(bench.erased, ['room/lobby 0 2 4']);
        assert.deepEqual(await bench.duties(), []);
        // What vouches for the log still does.
        const { log } = bench;
        let previous: string | null = null;
        const { length } = log.headOf(LOBBY_STREAM);
        for (const one of await log.batches(LOBBY_STREAM, 0, length, 1e9)) {
          const batch = openBatch(one.seal, one.items, community.server.id);
          assert.equal(batch.seal.previous, previous);
          previous = batch.seal.id;
        }
        assert.notEqual(await bench.state(LOBBY_STREAM), state, 'the removal moves the chain');
        assert.equal(length, 8);
      });

      it('erases what is sealed as well, with its salt', async () => {
        const epoch = alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY));
        await community.seal(epoch);
        const said = await community.seal(bob.sealed(pair, epoch.id, KEY, 'psst'));
        const beside = { target: said.id };
        const edited = await community.seal(
          bob.under(pair, 'edit', epoch.id, KEY, { text: 'hush' }, beside),
        );
        await bench.catchUp(community.batches);
        for (const { salt } of [said, edited]) assert.ok(await holds(bench.directory, salt!));
        await community.seal(bob.write(pair, 'remove', beside));
        await bench.catchUp(community.batches);
        for (const { salt } of [said, edited]) assert.ok(!(await holds(bench.directory, salt!)));
        assert.ok(await holds(bench.directory, epoch.salt!));
      });

      it('erases by permission what others said', async () => {
        const { id } = await community.say(bob, 'the secret plan');
        await community.seal(remove(alice, id, { moderator: true }));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('the secret plan'), []);
      });

      it('erases nothing for those who are not entitled to it', async () => {
        const { id } = await community.say(bob, 'the secret plan');
        // Sealed by a server that does not look what it is about.
        await community.seal(remove(alice, id));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('the secret plan'), ['the secret plan']);
        assert.deepEqual(await bench.duties(), []);
        await community.seal(remove(bob, id));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('the secret plan'), []);
      });

      it('erases nothing in another conversation', async () => {
        const { id } = await community.say(bob, 'the secret plan');
        await community.seal(bob.write(pair, 'remove', { target: id }));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('the secret plan'), ['the secret plan']);
        assert.deepEqual(await bench.duties(), []);
      });

      it('erases what is said about a message after its removal', async () => {
        const { id } = await community.say(bob, 'the secret plan');
        await community.seal(remove(bob, id));
        await bench.catchUp(community.batches);
        // Sealed in the moment before anybody had looked.
        await community.seal(edit(bob, id, 'the secret idea'));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('the secret plan', 'the secret idea'), []);
      });

      it('erases all that somebody ever wrote, and nothing of others', async () => {
        const { id } = await community.say(bob, 'bob in the lobby');
        await community.seal(edit(bob, id, 'bob once more'));
        const hers = await community.say(alice, 'alice in the lobby');
        await community.seal(react(bob, hers.id, 'bobs-emoji'));
        const room = await community.seal(
          alice.write('space', 'room', { name: 'den', private: false }),
        );
        await community.seal(bob.write('space', 'join', { room: room.id.slice(0, 32) }));
        await community.say(bob, 'bob in the den', `room/${room.id.slice(0, 32)}`);
        await community.say(alice, 'alice in the den', `room/${room.id.slice(0, 32)}`);
        const epoch = alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY));
        await community.seal(epoch);
        const sealed = await community.seal(bob.sealed(pair, epoch.id, KEY, 'psst'));
        const his = ['bob in the lobby', 'bob once more', 'bobs-emoji', 'bob in the den'];
        const theirs = ['alice in the lobby', 'alice in the den'];
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left(...his, ...theirs), [...his, ...theirs]);

        await community.seal(vengeance(bob));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left(...his, ...theirs), theirs);
        assert.ok(!(await holds(bench.directory, sealed.salt!)));
        assert.ok(await holds(bench.directory, epoch.salt!));
        assert.deepEqual(await bench.duties(), []);
      });

      it('leaves what somebody wrote whose account ends without vengeance', async () => {
        await community.say(bob, 'bob in the lobby');
        const gone = { account: bob.account, vengeance: false };
        await community.seal(alice.write('space', 'removeuser', gone));
        await bench.catchUp(community.batches);
        assert.deepEqual(await bench.left('bob in the lobby'), ['bob in the lobby']);
      });

      const deaths: [when: string, options: BenchOptions][] = [
        ['has looked at it', { isDeaf: true }],
        [
          'has let go of what else it keeps',
          {
            onErasing: () => {
              throw new Error('killed');
            },
          },
        ],
        ['has rewritten its files', { wrap: dyingAtPurge }],
      ];
      for (const [when, options] of deaths)
        for (const what of ['a message', 'all of somebody'])
          it(`erases ${what} in the end where it was killed before it ${when}`, async () => {
            const { id } = await community.say(bob, 'the secret plan');
            await community.seal(edit(bob, id, 'the secret idea'));
            await bench.catchUp(community.batches);
            await bench.restart(options);
            await community.seal(what === 'a message' ? remove(bob, id) : vengeance(bob));
            await bench.catchUp(community.batches);
            assert.notDeepEqual(await bench.left('the secret plan', 'the secret idea'), []);
            assert.equal((await bench.duties()).length, 1);
            for (const fault of bench.faults.splice(0))
              assert.equal((fault as Error).message, 'killed');
            await bench.restart();
            assert.deepEqual(await bench.left('the secret plan', 'the secret idea'), []);
            assert.deepEqual(await bench.duties(), []);
          });

      it('goes on after one that could not be done', async () => {
        const one = await community.say(bob, 'the secret plan');
        const two = await community.say(bob, 'the secret idea');
        let failures = 1;
        await bench.restart({
          onErasing: () => {
            if (failures-- > 0) throw new Error('not now');
          },
        });
        for (const { id } of [one, two]) await community.seal(remove(bob, id));
        await bench.catchUp(community.batches);
        assert.deepEqual(
          bench.faults.splice(0).map((fault) => (fault as Error).message),
          ['not now'],
        );
        assert.deepEqual(await bench.left('the secret plan', 'the secret idea'), [
          'the secret plan',
        ]);
        await bench.restart();
        assert.deepEqual(await bench.left('the secret plan', 'the secret idea'), []);
      });
    });
  }

  describe('of a replica, to which the past comes later', () => {
    let bench: EraserBench;
    /** The lobby as a snapshot; its past comes in portions. */
    const adopt = async (): Promise<void> => {
      bench = await open('replica');
      await bench.catchUp(community.of('space'));
      bench.skip(community.batches);
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await bench.replica!.adopt(seal, records);
    };
    const older = async (from: number, until: number): Promise<void> => {
      const batches = community.of(LOBBY_STREAM).slice(from, until).toReversed().map(wireOf);
      await bench.replica!.ingestOlder(LOBBY_STREAM, batches);
      await bench.eraser.settled();
    };

    for (const isRestarted of [false, true])
      it(`erases what comes after its removal${isRestarted ? ', after a restart' : ''}`, async () => {
        const { id } = await community.say(bob, 'the secret plan');
        await community.seal(edit(bob, id, 'the secret idea'));
        await community.say(alice, 'spoken in between');
        await community.seal(remove(bob, id));
        await adopt();
        await older(2, 4);
        assert.equal((await bench.duties()).length, 1);
        if (isRestarted) await bench.restart();
        await older(1, 2);
        if (isRestarted) await bench.restart();
        // Without the message it is known only that it is of the same person.
        assert.deepEqual(await bench.left('the secret idea'), []);
        await older(0, 1);
        const texts = ['the secret plan', 'the secret idea', 'spoken in between'];
        assert.deepEqual(await bench.left(...texts), ['spoken in between']);
        assert.deepEqual(await bench.duties(), []);
      });

    it('erases what it gets of somebody who is gone with vengeance', async () => {
      const { id } = await community.say(bob, 'the secret plan');
      await community.seal(edit(bob, id, 'the secret idea'));
      await community.say(alice, 'spoken in between');
      await community.seal(vengeance(bob));
      await adopt();
      await older(0, 3);
      const texts = ['the secret plan', 'the secret idea', 'spoken in between'];
      assert.deepEqual(await bench.left(...texts), ['spoken in between']);
    });

    it('takes what the server has erased already', async () => {
      const { id } = await community.say(bob, 'the secret plan');
      await community.seal(edit(bob, id, 'the secret idea'));
      await community.seal(remove(bob, id));
      const server = await open('server');
      await server.catchUp(community.batches);
      bench = await open('replica');
      await bench.catchUp(community.of('space'));
      const { length } = server.log.headOf(LOBBY_STREAM);
      for (const { seal, items } of await server.log.batches(LOBBY_STREAM, 0, length, 1e9))
        assert.equal((await bench.replica!.ingest(seal, items)).result, 'added');
      await bench.eraser.settled();
      for (let at = 0; at < length; at++) assert.ok(!bench.replica!.isVoid(LOBBY_STREAM, at));
      assert.deepEqual(await bench.duties(), []);
      assert.deepEqual(await bench.left('the secret plan', 'the secret idea'), []);
    });
  });

  describe('of the replica of who wrote it', () => {
    let bench: EraserBench;
    /** Written, and kept in the outbox. */
    const write = async (text: string): Promise<Entry> => {
      bench = await open('replica', bob);
      await bench.catchUp(community.batches);
      const { body, salt } = bob.forge(LOBBY_STREAM, 'say', { text });
      const make = (): { body: Uint8Array; salt: Uint8Array } => ({ body: body!, salt: salt! });
      return bench.replica!.append(LOBBY_STREAM, 'say', 1, make, { sync: true });
    };
    const seal = async (entry: Entry): Promise<void> => {
      await community.seal(entry);
      await bench.catchUp(community.batches);
      bob.rewind(LOBBY_STREAM, entry);
      assert.deepEqual(bench.replica!.pending(), []);
    };

    it('leaves nothing of it where it was kept until it was sealed', async () => {
      const entry = await write('the secret plan');
      await bench.restart();
      await seal(entry);
      await community.seal(remove(bob, entry.id));
      await bench.catchUp(community.batches);
      assert.deepEqual(await bench.left('the secret plan'), []);
    });

    it('nor when much else has been written since', async function () {
      this.timeout(60_000);
      const entry = await write('the secret plan');
      const { store } = bench.log;
      // The outbox goes into a table of its own.
      await store.purge({ from: '!', until: '"' });
      await seal(entry);
      const filler = (): string => Buffer.from(community.random(9_000)).toString('base64');
      for (let n = 0; n < 300; n++) await community.say(alice, filler());
      const last = await community.say(alice, 'one that is removed first');
      await bench.catchUp(community.batches);
      await bench.restart();
      for (const one of [last, entry]) {
        const by = one === entry ? bob : alice;
        await community.seal(remove(by, one.id));
        await bench.catchUp(community.batches);
      }
      assert.deepEqual(await bench.left('the secret plan', 'one that is removed first'), []);
    });
  });

  it('is not used by a server to erase what nobody may', async () => {
    const bench = await open('replica');
    const said = await community.say(bob, 'the secret plan');
    const mute = { account: bob.account, group: 'mute' };
    await community.seal(alice.write('space', 'setgroup', mute));
    await bench.catchUp(community.batches);
    const batch = community.of(LOBBY_STREAM).at(-1)!;
    const { seal } = batch;
    const forged = community.unjudged(
      [bob.write(LOBBY_STREAM, 'remove', { target: said.id, moderator: true })],
      {
        seq: seal.seq + 1,
        first: seal.first + seal.count,
        previous: seal.id,
      },
    );
    const { result } = await bench.replica!.ingest(forged.seal.bytes, wireOf(forged).items);
    assert.equal(result, 'added');
    await bench.eraser.settled();
    assert.ok(bench.replica!.isVoid(LOBBY_STREAM, 1));
    assert.deepEqual(await bench.left('the secret plan'), ['the secret plan']);
  });

  it('is not used by a server to erase somebody whom nobody has removed', async () => {
    const bench = await open('replica');
    await community.say(bob, 'the secret plan');
    await bench.catchUp(community.batches);
    const { seal } = community.of('space').at(-1)!;
    const body = { account: bob.account, vengeance: true };
    const forged = community.unjudged([bob.write('space', 'removeuser', body)], {
      seq: seal.seq + 1,
      first: seal.first + seal.count,
      previous: seal.id,
    });
    await bench.replica!.ingest(forged.seal.bytes, wireOf(forged).items);
    await bench.eraser.settled();
    assert.ok(bench.replica!.isVoid('space', seal.first + seal.count));
    assert.deepEqual(await bench.left('the secret plan'), ['the secret plan']);
  });

  it('erases all that was said about it, also more than anybody is shown', async () => {
    const bench = await open('replica');
    const { id } = await community.say(bob, 'the secret plan');
    const number = MAX_ANNOTATIONS + 5;
    await Promise.all(
      Array.from({ length: number }, (_, n) => community.seal(react(alice, id, `so${n}so`))),
    );
    const last = `so${number - 1}so`;
    await bench.catchUp(community.batches);
    assert.deepEqual(await bench.left(last), [last]);
    await community.seal(remove(bob, id));
    await bench.catchUp(community.batches);
    const [first, middle] = ['so0so', `so${MAX_ANNOTATIONS}so`];
    assert.deepEqual(await bench.left('the secret plan', first, middle, last), []);
  });

  it('erases all of somebody who wrote very much', async () => {
    const bench = await open('replica');
    const said = Array.from({ length: 1_100 }, (_, n) => `word${n}word`);
    await Promise.all(said.map((text) => community.say(bob, text)));
    await bench.catchUp(community.batches);
    const some = [said[0]!, said[600]!, said[1_099]!];
    assert.deepEqual(await bench.left(...some), some);
    await community.seal(vengeance(bob));
    await bench.catchUp(community.batches);
    assert.deepEqual(await bench.left(...some), []);
    assert.deepEqual(await bench.duties(), []);
  });

  it('erases what comes later of somebody, though it was killed before it looked', async () => {
    const bench = await open('replica');
    await community.say(bob, 'said before');
    await community.seal(vengeance(bob));
    await bench.catchUp(community.of('space'));
    await bench.restart({ isDeaf: true });
    bench.skip([]);
    await bench.catchUp(community.of(LOBBY_STREAM));
    assert.deepEqual(await bench.left('said before'), ['said before']);
    await bench.restart();
    assert.deepEqual(await bench.left('said before'), []);
    assert.deepEqual(await bench.duties(), []);
  });
});
