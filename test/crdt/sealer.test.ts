import assert from 'node:assert/strict';
import { encodeEntry, eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import {
  BATCH_BYTES,
  MAX_BATCH,
  openBatch,
  openSeal,
  signSeal,
  type Batch,
} from '../../lib/crdt/seal.ts';
import { Sealer, type Outcome } from '../../lib/crdt/sealer.ts';
import type { Store, StoreOperation } from '../../lib/crdt/store.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { accountStream, LOBBY_STREAM, pairStream } from '../../lib/crdt/stream.ts';
import { toHex } from '../../lib/crdt/bytes.ts';
import { hasCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { foundation, SealedCommunity, wireOf, Writer, type Member } from '../support/community.ts';

/** The community's store with something done at each write. */
function watched(
  store: Store,
  before: (operations: readonly StoreOperation[]) => Promise<void> | void,
): Store {
  return {
    get: (key) => store.get(key),
    entries: (range) => store.entries(range),
    purge: (range) => store.purge(range),
    close: () => store.close(),
    write: async (operations, options) => {
      await before(operations);
      await store.write(operations, options);
    },
  };
}

describe('the sealer', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
  });

  /** A sealer over the same log whose writes are watched. */
  function sealerOver(
    store: Store,
    onCommit: (batches: readonly Batch[]) => void = () => undefined,
  ): Sealer {
    const { server, clock } = community;
    return new Sealer({ log: new LogStore(store), key: server.key, clock, term: 1, onCommit });
  }
  const submit = (sealer: Sealer, entry: Entry): Promise<Outcome> =>
    sealer.submit({ entry, bytes: encodeEntry(entry) });
  const say = (member: Writer, text: string): Entry => member.write(LOBBY_STREAM, 'say', { text });

  it('seals what the rules accept, and numbers it', async () => {
    assert.deepEqual(await community.submit(say(alice, 'one')), { type: 'sealed', position: 0 });
    assert.deepEqual(await community.submit(say(bob, 'two')), { type: 'sealed', position: 1 });
    const batches = community.of(LOBBY_STREAM);
    for (const batch of batches) {
      const { seal, items } = wireOf(batch);
      openBatch(seal, items, community.server.id);
    }
    const [first, second] = batches.map(({ seal }) => seal);
    assert.deepEqual([first?.seq, first?.previous, first?.first, first?.count], [1, null, 0, 1]);
    assert.deepEqual(
      [second?.seq, second?.previous, second?.first, second?.count, second?.space],
      [2, first?.id, 1, 1, 3],
    );
    const open = await community.log.open(LOBBY_STREAM);
    assert.equal(toHex(second!.state), toHex(open.state.rehash()));
  });

  it('marks what it refuses, and leaves no trace of what it rejects', async () => {
    const self = { account: alice.account, blocked: true };
    const stream = accountStream(alice.account);
    const refused = alice.write(stream, 'block', self);
    assert.deepEqual(await community.submit(refused), { type: 'refused', code: 'SELF' });
    const [batch] = community.of(stream);
    assert.deepEqual(batch?.items[0]?.type === 'refusal' && batch.items[0].refusal, {
      id: refused.id,
      device: alice.id,
      seq: 1,
      code: 'SELF',
    });
    assert.ok(!Buffer.from(batch!.items[0]!.bytes).includes(Buffer.from(refused.body!)));
    const count = community.batches.length;
    const stranger = new Writer(community.server.id, community.random);
    assert.deepEqual(await community.submit(say(stranger, 'x')), {
      type: 'rejected',
      code: 'NOT_LOGGED_IN',
    });
    assert.equal(community.batches.length, count);
  });

  it('seals thousands of concurrent submissions by a few writes, in the order of each caller', async () => {
    const writers = [alice, bob];
    for (let i = 0; i < 8; i++) writers.push(await community.join(`user${i}`));
    let writes = 0;
    const sealer = sealerOver(watched(community.log.store, () => void writes++));
    const made = Array.from({ length: 3_000 }, (_, n) => say(writers[n % 10]!, `${n}`));
    const outcomes = await Promise.all(made.map((entry) => submit(sealer, entry)));
    assert.ok(writes <= 10, `${writes} writes`);
    const positions = outcomes.map((outcome) =>
      outcome.type === 'sealed' ? outcome.position : -1,
    );
    assert.deepEqual(
      positions,
      Array.from({ length: 3_000 }, (_, n) => n),
    );
    for (const at of [0, 511, 512, 2_999]) {
      const item = new LogStore(community.log.store).item(LOBBY_STREAM, at);
      assert.equal(item?.type === 'entry' && item.entry.id, made[at]!.id);
    }
  });

  it('keeps its batches within bounds of number, nothing out of order', async () => {
    const batches: Batch[] = [];
    const sealer = sealerOver(community.log.store, (list) => batches.push(...list));
    const made = Array.from({ length: MAX_BATCH + 100 }, (_, n) => say(alice, `${n}`));
    const outcomes = await Promise.all(made.map((entry) => submit(sealer, entry)));
    assert.deepEqual(
      batches.map(({ seal }) => seal.count),
      [MAX_BATCH, 100],
    );
    assert.ok(outcomes.every(({ type }) => type === 'sealed'));
  });

  it('keeps its batches within bounds of size, nothing out of order', async () => {
    const batches: Batch[] = [];
    const sealer = sealerOver(community.log.store, (list) => batches.push(...list));
    const made = Array.from({ length: 100 }, (_, n) =>
      say(n % 3 === 0 ? bob : alice, 'x'.repeat(16_000)),
    );
    const outcomes = await Promise.all(made.map((entry) => submit(sealer, entry)));
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.type === 'sealed' ? outcome.position : -1)),
      made.map((_, n) => n),
    );
    assert.ok(batches.length >= 3);
    for (const { items } of batches) {
      const size = items.slice(0, -1).reduce((sum, { bytes }) => sum + bytes.length, 0);
      assert.ok(size < BATCH_BYTES, `${size} bytes`);
    }
  });

  it('tells nobody before the write is done', async () => {
    let finish = (): void => undefined;
    const written = new Promise<void>((resolve) => (finish = resolve));
    const told: string[] = [];
    const sealer = sealerOver(
      watched(community.log.store, () => written),
      () => told.push('committed'),
    );
    const outcome = submit(sealer, say(alice, 'x')).then(() => told.push('answered'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(told, []);
    finish();
    await outcome;
    assert.deepEqual(told.sort(), ['answered', 'committed']);
  });

  it('gives an entry that comes again the answer it had', async () => {
    const sealed = say(alice, 'x');
    const refused = alice.write(accountStream(alice.account), 'block', {
      account: alice.account,
      blocked: true,
    });
    // In one commit, in the next, and after a restart.
    const once = await Promise.all(
      [sealed, sealed, refused, refused].map((entry) => community.submit(entry)),
    );
    const [first, , second] = once;
    assert.deepEqual(once, [first, first, second, second]);
    await community.seal(say(alice, 'y'));
    assert.deepEqual(await community.submit(sealed), first);
    await community.restart();
    const length = community.batches.length;
    assert.deepEqual(await community.submit(sealed), first);
    assert.deepEqual(await community.submit(refused), second);
    assert.deepEqual(await community.submit(eraseBody(sealed)), first);
    assert.equal(community.batches.length, length);
    const fork = alice.forge(LOBBY_STREAM, 'say', { text: 'z' }, { seq: 1, previous: null });
    assert.deepEqual(await community.submit(fork), { type: 'rejected', code: 'OUT_OF_ORDER' });
  });

  it('judges by the space as it stands in the same commit, and says so', async () => {
    const carol = alice.device();
    const [joined, said] = await Promise.all([
      community.submit(carol.enrolment()),
      community.submit(say(carol, 'at once')),
    ]);
    assert.deepEqual([joined.type, said.type], ['sealed', 'sealed']);
    const { seal } = community.of(LOBBY_STREAM).at(-1)!;
    assert.equal(seal.space, (await community.log.open('space')).head.length);
  });

  it('writes what belongs to an entry if the entry is accepted, and only then', async () => {
    const operations = (key: string): StoreOperation[] => [
      { type: 'put', key, value: new Uint8Array(1) },
    ];
    await community.submit(say(alice, 'x'), { operations: operations('extra/yes') });
    await community.submit(say(alice, 'y'), {
      operations: operations('extra/refused'),
      admit: () => 'BLOCKED',
    });
    const stranger = new Writer(community.server.id, community.random);
    await community.submit(say(stranger, 'z'), { operations: operations('extra/rejected') });
    const { store } = community.log;
    assert.ok(store.get('extra/yes'));
    assert.equal(store.get('extra/refused'), undefined);
    assert.equal(store.get('extra/rejected'), undefined);
  });

  it('asks the server about each entry', async () => {
    const pair = pairStream(alice.account, bob.account);
    const epoch = alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, new Uint8Array(32)));
    const outcome = await community.submit(epoch, { admit: () => 'BLOCKED' });
    assert.deepEqual(outcome, { type: 'refused', code: 'BLOCKED' });
    // What would have been sealed under it is refused for the same reason and not for a want of keys.
    const message = alice.sealed(pair, epoch.id, new Uint8Array(32), 'hi');
    assert.deepEqual(await community.submit(message, { admit: () => 'BLOCKED' }), outcome);
  });

  it('never lets time run backwards', async () => {
    await community.say(alice, 'now');
    community.clock.wall -= 3_600_000;
    await community.say(alice, 'an hour ago');
    community.clock.wall += 7_200_000;
    await community.say(alice, 'an hour later');
    const times = community.of(LOBBY_STREAM).map(({ seal }) => seal.time);
    assert.equal(times[1], times[0]);
    assert.equal(times[2]! - times[1]!, 3_600_000);
  });

  describe('while a stream rests', () => {
    it('waits for company, and seals it together', async () => {
      await community.say(alice, 'first');
      community.sealer.rest(LOBBY_STREAM, 60);
      const before = community.batches.length;
      const early = community.submit(say(alice, 'early'));
      await sleep(10);
      const late = community.submit(say(bob, 'late'));
      await Promise.all([early, late]);
      assert.equal(community.batches.length, before + 1);
    });

    it('seals what is for others at once', async () => {
      community.sealer.rest(LOBBY_STREAM, 300);
      const resting = community.submit(say(alice, 'later'));
      const pair = pairStream(alice.account, bob.account);
      // Also when it was waiting already.
      await sleep(10);
      const epoch = bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, new Uint8Array(32)));
      assert.equal((await community.submit(epoch)).type, 'sealed');
      assert.equal(await Promise.race([resting, sleep(1)]), undefined);
      assert.equal((await resting).type, 'sealed');
    });

    it('seals nothing of a device before what it sent earlier', async () => {
      community.sealer.rest(LOBBY_STREAM, 60);
      const pair = pairStream(alice.account, bob.account);
      const done: string[] = [];
      const first = community.submit(say(alice, 'first')).then(() => done.push('first'));
      const epoch = alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, new Uint8Array(32)));
      const second = community.submit(epoch).then(() => done.push('second'));
      await Promise.all([first, second]);
      assert.equal(done[0], 'first');
    });

    it('does not wait when it is closed', async () => {
      community.sealer.rest(LOBBY_STREAM, 60_000);
      const last = community.submit(say(alice, 'last'));
      await community.sealer.close();
      assert.equal((await last).type, 'sealed');
    });
  });

  describe('when the disk is full', () => {
    it('loses nothing that it acknowledged, and goes on where it was once there is room', async () => {
      await community.say(alice, 'before');
      community.disk.capacity = community.disk.table.bytes + 130_000;
      const made = Array.from({ length: 400 }, (_, n) =>
        say(n % 2 === 0 ? alice : bob, `${n}`.repeat(50)),
      );
      const answers: (Outcome | 'full')[] = [];
      for (let i = 0; i < made.length; i += 20) {
        const portion = made.slice(i, i + 20).map((entry) =>
          community.submit(entry).catch((error: unknown) => {
            assert.ok(hasCode(error, 'DISK_FULL'));
            return 'full' as const;
          }),
        );
        answers.push(...(await Promise.all(portion)));
      }
      // What comes after one that found no room waits for it.
      const held = answers.filter((answer) => answer !== 'full' && answer.type === 'sealed');
      assert.ok(held.length > 20 && held.length < 380, `${held.length} held`);
      assert.ok(answers.includes('full'));
      community.disk.capacity = Infinity;
      await community.restart();
      const again = await Promise.all(made.map((entry) => community.submit(entry)));
      assert.deepEqual(
        again,
        made.map((_, n) => ({ type: 'sealed', position: n + 1 })),
      );
      for (const [n, answer] of answers.entries())
        if (answer !== 'full' && answer.type === 'sealed') assert.deepEqual(answer, again[n]);
        else
          assert.ok(answer === 'full' || (answer.type === 'rejected' && answer.code === 'WAITING'));
      await assertWhole();
    });

    it('fails all of a commit or nothing of it', async () => {
      community.disk.capacity = community.disk.table.bytes + 3_000;
      const small = say(alice, 'small');
      const large = say(bob, 'x'.repeat(10_000));
      const both = [small, large].map((entry) => community.submit(entry));
      for (const one of await Promise.allSettled(both))
        assert.ok(one.status === 'rejected' && hasCode(one.reason, 'DISK_FULL'));
      assert.equal((await community.log.open(LOBBY_STREAM)).head.length, 0);
      assert.equal(community.log.find(small.id), undefined);
    });
  });

  it('has all that it acknowledged after a crash at any time', async () => {
    for (let round = 0; round < 10; round++) {
      const answers = new Map<Entry, Outcome>();
      const made = Array.from({ length: 60 }, (_, n) => say(n % 2 ? alice : bob, `${round} ${n}`));
      const pending = made.map((entry) =>
        community.submit(entry).then(
          (outcome) => answers.set(entry, outcome),
          (error: unknown) => assert.ok(hasCode(error, 'CLOSED')),
        ),
      );
      for (let turn = 0; turn < round; turn++) await Promise.resolve();
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      community.disk.crash();
      await Promise.all(pending);
      await community.restart();
      for (const [entry, outcome] of answers)
        assert.deepEqual(await community.submit(entry), outcome);
      const again = await Promise.all(made.map((entry) => community.submit(entry)));
      assert.ok(again.every(({ type }) => type === 'sealed'));
    }
    assert.equal((await community.log.open(LOBBY_STREAM)).head.length, 600);
    await assertWhole();
  });

  /** The stored log: one chain of seals over all positions, whose last one has the state's hash. */
  async function assertWhole(): Promise<void> {
    const log = new LogStore(community.log.store);
    for (const name of await log.names()) {
      const { head, state } = await log.open(name);
      let next = 0;
      let previous: string | null = null;
      while (next < head.length) {
        const seal = log.sealAt(name, next)!;
        openSeal(seal.bytes, community.server.id);
        assert.equal(seal.previous, previous);
        for (let at = next; at < next + seal.count; at++) assert.ok(log.item(name, at));
        previous = seal.id;
        next += seal.count;
      }
      assert.equal(previous, head.seal);
      assert.equal(toHex(log.lastSeal(name)!.state), toHex(state.rehash()));
    }
  }

  describe('restored from an old backup', () => {
    let restored: Sealer;
    let log: LogStore;
    const told: Batch[] = [];
    beforeEach(async () => {
      await community.say(alice, 'one');
      await community.say(bob, 'two');
      await community.say(alice, 'three');
      log = new LogStore(new MemoryDisk().open());
      told.length = 0;
      const { server, clock } = community;
      const onCommit = (batches: readonly Batch[]): number => told.push(...batches);
      restored = new Sealer({ log, key: server.key, clock, term: 2, onCommit });
    });

    it('takes back what it had sealed, and goes on with it', async () => {
      for (const batch of community.batches) assert.equal(await restored.handBack(batch), true);
      assert.equal(await restored.handBack(community.batches[1]!), true);
      assert.equal(told.length, community.batches.length);
      for (const name of await community.log.names())
        assert.deepEqual((await log.open(name)).head, (await community.log.open(name)).head);
      const entry = say(bob, 'four');
      assert.deepEqual(await submit(restored, entry), { type: 'sealed', position: 3 });
      const { seal } = told.at(-1)!;
      assert.deepEqual([seal.term, seal.previous], [2, community.of(LOBBY_STREAM).at(-1)!.seal.id]);
      // What was sealed in the earlier term is a repetition in this one.
      const [first] = community.of(LOBBY_STREAM)[0]!.items;
      assert.ok(first?.type === 'entry');
      assert.deepEqual(await submit(restored, first.entry), { type: 'sealed', position: 0 });
    });

    it('takes back in order only, and nothing once it has gone on otherwise', async () => {
      const [founding, ...people] = community.of('space');
      const [one, two] = community.of(LOBBY_STREAM);
      assert.equal(await restored.handBack(people[0]!), false);
      assert.equal(await restored.handBack(founding!), true);
      for (const batch of people) await restored.handBack(batch);
      assert.equal(await restored.handBack(two!), false);
      bob.rewind(LOBBY_STREAM, undefined);
      assert.equal((await submit(restored, say(bob, 'otherwise'))).type, 'sealed');
      assert.equal(await restored.handBack(one!), false);
      assert.equal(await restored.handBack(two!), false);
      const { head } = await log.open(LOBBY_STREAM);
      assert.equal(head.length, 1);
    });

    it('takes back nothing whose state is not the one that was sealed, or of a later term', async () => {
      for (const batch of community.of('space')) await restored.handBack(batch);
      const [{ seal, items }] = community.of(LOBBY_STREAM) as [Batch];
      const { server: _server, id: _id, bytes: _bytes, ...fields } = seal;
      for (const change of [{ state: new Uint8Array(32) }, { term: 3 }, { seq: 2 }]) {
        const other = signSeal(community.server.key, { ...fields, ...change });
        await assert.rejects(restored.handBack({ seal: other, items }), { code: 'BAD_ENTRY' });
      }
      assert.equal((await log.open(LOBBY_STREAM)).head.length, 0);
      assert.equal(await restored.handBack({ seal, items }), true);
    });

    it('seals nothing new before others had the time to hand back', async () => {
      restored.holdUntil = community.clock.monotonic() + 80;
      const began = performance.now();
      const outcome = submit(
        restored,
        foundation(new Writer(community.server.id, community.random, community.server.key)),
      );
      await restored.handBack(community.batches[0]!);
      assert.deepEqual(await outcome, { type: 'rejected', code: 'OUT_OF_ORDER' });
      assert.ok(performance.now() - began >= 75);
    });
  });

  it('takes no more than it can hold', async () => {
    const entry = say(alice, 'x');
    const answers = Array.from({ length: 20_001 }, () => community.submit(entry));
    await assert.rejects(answers.pop()!, { code: 'RATE_LIMITED' });
    const outcomes = await Promise.all(answers);
    assert.ok(outcomes.every(({ type }) => type === 'sealed'));
  });

  it('finishes what was submitted when it is closed, and takes no more', async () => {
    const answers = [say(alice, 'x'), say(alice, 'y')].map((entry) => community.submit(entry));
    await community.sealer.close();
    assert.deepEqual(
      (await Promise.all(answers)).map(({ type }) => type),
      ['sealed', 'sealed'],
    );
    await assert.rejects(community.submit(say(alice, 'z')), { code: 'CLOSED' });
  });
});
