import assert from 'node:assert/strict';
import { loadSeal } from '../../../lib/crdt/seal.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { ClchatError } from '../../../lib/errors.ts';
import { handBack } from '../../../lib/node/client/hand-back.ts';
import type { Request } from '../../../lib/node/exchange.ts';
import type { SYNC } from '../../../lib/node/wire.ts';
import { ended } from '../../support/channels.ts';
import { snapshotOf } from '../../support/replicas.ts';
import { SyncHub } from '../../support/sync-hub.ts';
import { SyncStage } from '../../support/sync-stage.ts';

describe('a restored server is handed back', () => {
  let stage: SyncStage;
  let hub: SyncHub;
  /** What was handed back: streams and first positions, a request a list. */
  let given: string[][];
  /** How far the server goes, by stream. */
  let lengths: Map<string, number>;

  beforeEach(async () => {
    stage = await SyncStage.open();
    await stage.say('one', 'two', 'three');
    await stage.bench.follow(stage.community.batches);
    given = [];
    lengths = new Map([
      ['space', 2],
      [LOBBY_STREAM, 1],
    ]);
    hub = await SyncHub.open(stage.community);
    hub.answers.lengths = async ({ streams }) => ({
      lengths: streams.map((stream) => lengths.get(stream) ?? 0),
    });
    hub.answers.handBack = async ({ batches }) => take(batches);
  });
  afterEach(() => {
    hub.exchange.abort(new ClchatError('CLOSED'));
    stage.close();
  });

  /** As a server takes what goes on with what it has. */
  const take = (batches: Request<typeof SYNC, 'handBack'>['batches']): { length: number } => {
    const seals = batches.map(({ seal }) => loadSeal(seal));
    given.push(seals.map(({ stream, first }) => `${stream} ${first}`));
    const [{ stream }] = seals as [(typeof seals)[0]];
    for (const { first, count } of seals)
      if (first === lengths.get(stream)) lengths.set(stream, first + count);
    return { length: lengths.get(stream) ?? 0 };
  };

  it('the space before the rest', async () => {
    const end = ended(hub.exchange.channel);
    await handBack(hub.near, stage.bench.replica);
    assert.deepEqual(given, [['space 2'], [`${LOBBY_STREAM} 1`, `${LOBBY_STREAM} 2`]]);
    assert.deepEqual([...lengths.values()], [3, 3]);
    assert.equal(await end, undefined, 'it says goodbye');
  });

  it('in portions', async () => {
    await stage.say(...Array.from({ length: 10 }, () => 'x'.repeat(16_000)));
    await stage.bench.follow(stage.lobby.slice(3));
    await handBack(hub.near, stage.bench.replica);
    assert.equal(lengths.get(LOBBY_STREAM), 13);
    assert.ok(given.length > 2, `${given.length} requests`);
  });

  it('and nothing where it lacks nothing', async () => {
    lengths.set('space', 3).set(LOBBY_STREAM, 99);
    await handBack(hub.near, stage.bench.replica);
    assert.deepEqual(given, []);
  });

  it('but not again what it does not take', async () => {
    hub.answers.handBack = async ({ batches }) => {
      const before = new Map(lengths);
      take(batches);
      lengths = before;
      return { length: 1 };
    };
    await handBack(hub.near, stage.bench.replica);
    assert.equal(given.length, 2);
  });

  it('as far as it is here', async () => {
    await stage.enter(stage.bob);
    const { bench } = stage;
    await bench.follow(stage.community.of('space'));
    const { seal, records } = await snapshotOf(stage.community, LOBBY_STREAM);
    await bench.replica.adopt(seal, records);
    await handBack(hub.near, bench.replica);
    assert.deepEqual(given, [['space 2']]);
  });

  it('and the failure is told where it breaks off', async () => {
    hub.answers.handBack = async () => {
      throw new ClchatError('BAD_ENTRY');
    };
    await assert.rejects(handBack(hub.near, stage.bench.replica), { code: 'BAD_ENTRY' });
  });
});
