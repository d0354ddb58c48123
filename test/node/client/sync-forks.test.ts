import assert from 'node:assert/strict';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { eventually } from '../../support/channels.ts';
import { SyncStage } from '../../support/sync-stage.ts';

describe('a server that continues from an older state', () => {
  let stage: SyncStage;
  /** The same server, with a history of its own from some point on. */
  let other: SyncStage;

  beforeEach(async () => {
    stage = await SyncStage.open();
    other = await SyncStage.open();
    await stage.say('one');
    await other.say('one');
    assert.equal(stage.lobby[0]!.seal.id, other.lobby[0]!.seal.id);
  });
  afterEach(() => {
    stage.close();
    other.close();
    assert.deepEqual(stage.news.faults, []);
  });

  /** The replica holds the first history. */
  const follow = (): Promise<void> => stage.bench.follow(stage.community.batches);
  /** It comes to the server with the other one. */
  const meet = async (): Promise<void> => {
    stage.community = other.community;
    await stage.connect();
  };
  const isRight = async (): Promise<void> => {
    for (const stream of ['space', LOBBY_STREAM] as const) {
      const { length, seal } = other.community.log.headOf(stream);
      assert.equal(stage.length(stream), length);
      assert.equal(stage.bench.replica.log.headOf(stream).seal, seal);
      assert.ok(await stage.bench.replica.verifyState(stream));
    }
  };

  it('is followed where it is as long as what is here', async () => {
    await stage.say('two', 'three');
    await other.say('other two', 'other three');
    await follow();
    await meet();
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 1`]);
    assert.deepEqual(stage.have, [[0, 3]]);
    assert.deepEqual(stage.news.heard, ['one', 'two', 'three', 'other two', 'other three']);
  });

  it('is followed where it is shorter', async () => {
    await stage.say('two', 'three');
    await follow();
    await meet();
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 1`]);
    assert.deepEqual(stage.have, [[0, 1]]);
    await other.say('other two');
    stage.hub.push(...other.lobby.slice(1));
    await eventually('it goes on', () => stage.news.heard.at(-1) === 'other two');
  });

  it('is followed where it is longer, as shows in what is fetched', async () => {
    await stage.say('two');
    await other.say('other two', 'other three', 'other four');
    await follow();
    await meet();
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 1`]);
    assert.deepEqual(stage.news.heard.slice(2), ['other two', 'other three', 'other four']);
  });

  it('is compared as far back as it takes', async () => {
    const texts = Array.from({ length: 6 }, (_, n) => `${n}`);
    await stage.say(...texts);
    await other.say(...texts.slice(0, 3), 'other');
    await follow();
    await meet();
    stage.hub.portion = 1;
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 4`]);
    assert.deepEqual(stage.asked('older').slice(0, 2), [
      `older ${LOBBY_STREAM} 8 0`,
      `older ${LOBBY_STREAM} 4 0`,
    ]);
  });

  it('is taken from the start where nothing is the same', async () => {
    const third = await SyncStage.open();
    other.close();
    other = third;
    await other.say('another one');
    await stage.say('two');
    await follow();
    await meet();
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 0`]);
    assert.deepEqual(stage.news.heard.slice(2), ['another one']);
  });

  it('is followed where it has nothing of a stream', async () => {
    other.close();
    other = await SyncStage.open();
    await stage.say('two');
    await follow();
    await meet();
    await stage.sync.open();
    assert.deepEqual(stage.forks, [`${LOBBY_STREAM} 0`]);
    assert.equal(stage.length(), 0);
    await other.say('another one', 'and another');
    stage.hub.push(...other.lobby);
    await stage.reaches(2);
    await isRight();
    assert.deepEqual(stage.news.heard.slice(2), ['another one', 'and another']);
  });

  it('is followed in the space as well', async () => {
    const carol = await stage.community.join('carol');
    await other.community.join('dave');
    await follow();
    await meet();
    await stage.sync.open();
    await isRight();
    assert.deepEqual(stage.forks, ['space 3']);
    const names = stage.bench.replica.space.entries<{ name: string }>('account');
    assert.deepEqual([...names].map(([, { name }]) => name).sort(), ['alice', 'bob', 'dave']);
    assert.equal(stage.bench.replica.space.get('account', carol.account), undefined);
  });

  it('has what it lacks of this device made anew', async () => {
    await follow();
    const mine = await stage.bench.say('mine');
    await stage.community.seal(mine);
    await stage.bench.follow(stage.lobby.slice(1));
    await meet();
    await stage.sync.open();
    await isRight();
    assert.ok(stage.bench.told.includes('again say OUT_OF_ORDER'));
    const unmade = stage.bench.replica.unmade(LOBBY_STREAM);
    assert.deepEqual(
      unmade.map(({ id }) => id),
      [mine.id],
    );
  });
});
