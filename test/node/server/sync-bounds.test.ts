import assert from 'node:assert/strict';
import type { Entry } from '../../../lib/crdt/entry.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import { EMPTY_HEAD } from '../../../lib/crdt/stream-head.ts';
import { LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import type { Admission } from '../../../lib/node/server/admission.ts';
import type { Directory } from '../../../lib/node/server/directory.ts';
import { SyncHub } from '../../../lib/node/server/sync.ts';
import { MAX_HEADS, SYNC } from '../../../lib/node/wire.ts';
import { eventually, openChannel, turns } from '../../support/channels.ts';
import { SealedCommunity } from '../../support/community.ts';
import { World, type Peer } from '../../support/roles.ts';

/** Something that is held up until it is let go. */
class Gate {
  open!: () => void;
  readonly passed = new Promise<void>((resolve) => (this.open = resolve));
}

describe('replication from the server is bounded', () => {
  let world: World;
  let alice: Peer;
  let bob: Peer;
  let undo: (() => void)[];

  beforeEach(async () => {
    undo = [];
    world = await World.start();
    [alice, bob] = [await world.member('alice'), await world.member('bob')];
    await alice.open();
    await bob.open();
  });
  afterEach(async () => {
    for (const step of undo) step();
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  /** Replication over a further channel of a peer. */
  const replication = async (peer: Peer): Promise<Exchange<typeof SYNC>> => {
    const channel = await peer.connection.open(SYNC.name, { signal: AbortSignal.timeout(5_000) });
    return new Exchange(channel, SYNC, { methods: {}, notices: {} });
  };
  const entries = (peer: Peer, number: number, text: string): Entry[] =>
    Array.from({ length: number }, (_, n) =>
      peer.member.write(LOBBY_STREAM, 'say', { text: `${n} ${text}` }),
    );
  /** Until a round trip of somebody else has gone by, several times. */
  const aWhile = async (): Promise<void> => {
    for (let trip = 0; trip < 10; trip++) await bob.sync.call('lengths', { streams: [] });
    await turns();
  };

  it('in the bytes of what one device asks for, over all its channels', async () => {
    const gate = new Gate();
    undo.push(() => gate.open());
    const { store } = world;
    const write = store.write.bind(store);
    store.write = async (...args) => {
      await gate.passed;
      return write(...args);
    };
    const written = entries(alice, 300, 'x'.repeat(16_000));
    const answers: Promise<string[]>[] = [];
    for (let at = 0; at < 300; at += 60) answers.push(alice.submit(...written.slice(at, at + 60)));
    await aWhile();
    // Another channel is read no further either, once it has asked for something.
    const other = await replication(alice);
    let answered = 0;
    const asked = Array.from({ length: 3 }, () =>
      other.call('lengths', { streams: ['space'] }).then(() => answered++),
    );
    await aWhile();
    assert.equal(answered, 1);
    gate.open();
    await Promise.all(asked);
    assert.ok((await Promise.all(answers)).flat().every((outcome) => outcome === 'sealed'));
  });

  describe('in what is read at once for one device', () => {
    let gate: Gate;
    let reading: number;
    let most: number;
    let reads: number;

    beforeEach(async () => {
      await alice.say('hi');
      gate = new Gate();
      reading = most = reads = 0;
      for (const method of ['batches', 'batchesBefore'] as const) {
        const original: LogStore[typeof method] = Reflect.get(LogStore.prototype, method);
        undo.push(() => (LogStore.prototype[method] = original));
        LogStore.prototype[method] = async function (this: LogStore, ...args) {
          reads++;
          most = Math.max(most, ++reading);
          await gate.passed;
          reading--;
          return original.apply(this, args);
        };
      }
    });
    const ask = (peer: Peer, number: number): Promise<unknown>[] =>
      Array.from({ length: number }, (_, n) =>
        n % 2 === 0
          ? peer.sync.call('fetch', { stream: LOBBY_STREAM, from: 0 })
          : peer.sync.call('older', { stream: LOBBY_STREAM, before: 1, least: 0 }),
      );

    it('which all comes in the end', async () => {
      const answers = ask(alice, 40);
      await aWhile();
      assert.equal(most, 4);
      // Others do not wait for it.
      const others = ask(bob, 4);
      await aWhile();
      assert.equal(most, 8);
      gate.open();
      await Promise.all([...answers, ...others]);
      assert.equal(reads, 44);
    });

    it('and nothing more for a channel that has ended', async () => {
      const answers = Promise.allSettled(ask(alice, 40));
      await aWhile();
      const first = alice.sync;
      await alice.open();
      await eventually('another has taken its place', () => first.ended);
      gate.open();
      await answers;
      await aWhile();
      assert.equal(reads, 4);
    });
  });

  it('by how fast a device takes the answers, and does not cut it off', async function () {
    this.timeout(20_000);
    await alice.submit(...entries(alice, 20, 'x'.repeat(16_000)));
    world.network.weather = { delay: [20, 20], loss: 0, duplicate: 0, reorder: 0 };
    const answers = Array.from({ length: 60 }, () =>
      bob.sync.call('fetch', { stream: LOBBY_STREAM, from: 0 }),
    );
    for (const { batches } of await Promise.all(answers)) assert.ok(batches.length > 0);
    assert.equal(bob.sync.ended, false);
  });

  it('in how long a channel stays on which nothing is begun', async () => {
    await world.close();
    await world.open({ syncPatienceMs: 100 });
    const stranger = await world.peer('stranger');
    const silent = await replication(stranger);
    const asking = await replication(stranger);
    const known = await world.peer('alice', alice.member);
    await known.session.call('login', {});
    await known.open();
    const refused = await replication(stranger);
    await assert.rejects(refused.call('open', {}), { code: 'NOT_LOGGED_IN' });
    // To ask again and again is no way to stay.
    while (!asking.ended) await asking.call('lengths', { streams: ['space'] }).catch(() => 0);
    await eventually('the others end', () => silent.ended && refused.ended);
    assert.equal(stranger.session.ended, false);
    assert.deepEqual(await known.say('still here'), ['sealed']);
  });

  it('in what one answer tells of the streams there are', async () => {
    const community = await SealedCommunity.found();
    const { log } = community;
    log.headOf = () => ({ ...EMPTY_HEAD, length: 1, seal: '0'.repeat(64) });
    const rooms = Array.from({ length: 2 * MAX_HEADS + 10 }, (_, n): StreamName => {
      const digits = ((n * 7919) % 100_003).toString(16).padStart(32, '0');
      return `room/${digits}`;
    });
    const streams: StreamName[] = [...rooms, 'space', `account/${'a'.repeat(32)}`];
    const hub = await SyncHub.open({
      log,
      sealer: community.sealer,
      clock: community.clock,
      directory: { streamsOf: () => streams } as unknown as Directory,
      accountOf: () => 'a'.repeat(32) as never,
      onActive: () => undefined,
      admission: {} as Admission,
      onFault: (error) => assert.fail(String(error)),
    });
    const { near, far } = await openChannel(SYNC.name);
    hub.accept(far);
    const client = new Exchange(near, SYNC, { methods: {}, notices: {} });
    await assert.rejects(client.call('heads', { after: 'space' }), { code: 'NOT_LOGGED_IN' });
    let portion = await client.call('open', {});
    const told: StreamName[] = [];
    const sizes: number[] = [];
    for (;;) {
      told.push(...portion.heads.map(([stream]) => stream));
      sizes.push(portion.heads.length);
      if (!portion.more) break;
      portion = await client.call('heads', { after: told.at(-1)! });
    }
    assert.deepEqual(sizes, [MAX_HEADS, MAX_HEADS, 12]);
    assert.deepEqual(told, ['space', ...streams.filter((name) => name !== 'space').sort()]);
    const [, first] = told;
    const after = await client.call('heads', { after: 'space' });
    assert.equal(after.heads[0]![0], first);
    await client.close();
    await hub.stop();
  });
});
