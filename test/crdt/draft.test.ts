/** Batches on their way into a store; what a replica makes of them is in replica.test.ts. */
import assert from 'node:assert/strict';
import { Draft, withoutLanes } from '../../lib/crdt/draft.ts';
import { LogStore, type OpenStream } from '../../lib/crdt/log-store.ts';
import { accountNamed } from '../../lib/crdt/people.ts';
import { signSeal, type Batch, type Seal } from '../../lib/crdt/seal.ts';
import { prefixed } from '../../lib/crdt/store.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { accountStream, LOBBY_STREAM, type StreamName } from '../../lib/crdt/stream.ts';
import { isErrorCode } from '../../lib/errors.ts';
import { SealedCommunity, type Member } from '../support/community.ts';
import { ALL, collect } from '../support/store-contract.ts';

const SYNC = { sync: true };

describe('a draft', () => {
  let community: SealedCommunity;
  let alice: Member;
  let disk: MemoryDisk;
  let log: LogStore;
  let space: OpenStream;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    disk = new MemoryDisk();
    log = new LogStore(disk.open());
    space = await log.open('space');
  });

  /** Adds batches to a draft and stores it as a replica does. */
  async function take(stream: OpenStream, batches: readonly Batch[]): Promise<void> {
    const draft = new Draft(stream);
    for (const batch of batches) assert.ok(draft.add(batch, space));
    await log.store.write(draft.finish(), SYNC);
    draft.adopt();
  }

  /** What is marked as void in the store, and why. */
  const voids = (): Promise<[string, string][]> => collect(log.store, prefixed('v!'));

  /** The records of a state, whatever their order. */
  const records = ({ state }: OpenStream): unknown[] =>
    [...state.records()].sort((a, b) => (`${a.table} ${a.id}` < `${b.table} ${b.id}` ? -1 : 1));

  /** The stream as it is read from the store. */
  async function stored(name: StreamName): Promise<OpenStream> {
    log = new LogStore(log.store);
    return log.open(name);
  }

  it('is made of several batches, and stored as one', async () => {
    await community.join('bob');
    await take(space, community.of('space'));
    assert.equal(space.head.length, 3);
    assert.equal(space.head.seals, 3);
    assert.ok(accountNamed(space.state, 'bob') !== undefined);
    const again = await stored('space');
    assert.deepEqual(again.head, space.head);
    assert.deepEqual(records(again), records(space));
    assert.deepEqual(records(again), records(await community.log.open('space')));
  });

  it('changes nothing until it is stored: neither the stream nor the store', async () => {
    const draft = new Draft(space);
    for (const batch of community.of('space')) assert.ok(draft.add(batch, space));
    assert.equal(draft.head.length, 2);
    draft.finish();
    assert.equal(space.head.length, 0);
    assert.deepEqual([...space.state.records()], []);
    assert.deepEqual(await collect(log.store, ALL), []);
    draft.adopt();
    assert.equal(space.head.length, 2);
    assert.equal(accountNamed(space.state, 'alice'), alice.account);
  });

  it('judges each batch by what those before it make of the space', async () => {
    // The third is of an account that only the second makes.
    await community.enrol(alice);
    await take(space, community.of('space'));
    assert.deepEqual(await voids(), []);
    assert.equal([...space.state.entries('device')].length, 2);
  });

  it('takes only what goes on where it ends', async () => {
    const [first, second] = community.of('space') as [Batch, Batch];
    await community.join('bob');
    const third = community.of('space')[2]!;
    const draft = new Draft(space);
    for (const early of [second, third]) assert.equal(draft.add(early, space), false);
    assert.ok(draft.add(first, space));
    for (const wrong of [first, third]) assert.equal(draft.add(wrong, space), false);
    const before = [draft.head, draft.batches.length, draft.finish()];
    const { seal, items } = second;
    const forged = (change: Partial<Seal>): Batch => ({
      seal: signSeal(community.server.key, { ...seal, ...change }),
      items,
    });
    for (const change of [
      { previous: second.seal.id },
      { previous: null },
      { seq: seal.seq + 1 },
      { term: seal.term - 1 },
    ])
      assert.equal(draft.add(forged(change), space), false, JSON.stringify(change));
    assert.deepEqual([draft.head, draft.batches.length, draft.finish()], before);
    // A later term may go on: a server that was restored begins one.
    assert.ok(draft.add(forged({ term: seal.term + 1 }), space));
    assert.equal(draft.head.term, seal.term + 1);
  });

  it('finds the seals it has by the position of their first item', async () => {
    const draft = new Draft(space);
    const batches = community.of('space');
    for (const batch of batches) draft.add(batch, space);
    for (const { seal } of batches) assert.equal(draft.sealAt(seal.first), seal);
    assert.equal(draft.sealAt(2), undefined);
    assert.equal(new Draft(space).sealAt(0), undefined);
  });

  it('marks as void what the server should not have sealed', async () => {
    await take(space, community.of('space'));
    const stranger = await SealedCommunity.found(2);
    const eve = await stranger.join('eve');
    const say = alice.write(LOBBY_STREAM, 'say', { text: 'fine' });
    const forged = eve.write(LOBBY_STREAM, 'say', { text: 'not a member' });
    const lobby = await log.open(LOBBY_STREAM);
    await take(lobby, [community.unjudged([say, forged])]);
    const [[key, code] = ['', ''], ...others] = await voids();
    assert.match(key, /^v!room\/lobby!0*1$/);
    assert.ok(isErrorCode(code), code);
    assert.deepEqual(others, []);
    assert.equal(lobby.head.length, 2, 'it keeps its place all the same');
  });

  it('goes on after it was stored', async () => {
    await take(space, community.of('space'));
    await community.say(alice, 'one');
    await community.say(alice, 'two');
    const [one, two] = community.of(LOBBY_STREAM) as [Batch, Batch];
    const lobby = await log.open(LOBBY_STREAM);
    await take(lobby, [one]);
    await take(lobby, [two]);
    assert.deepEqual(lobby.head.have, [[0, 2]]);
    assert.equal(new Draft(await stored(LOBBY_STREAM)).add(two, space), false);
    const mine = accountStream(alice.account);
    assert.equal(new Draft(await log.open(mine)).head.length, 0);
  });

  it('carries no hash of the state, which nobody asks a replica for', async () => {
    const head = { ...space.head, lanes: new Uint8Array(2048) };
    assert.equal('lanes' in withoutLanes(head), false);
    assert.deepEqual(withoutLanes(head), space.head);
    space.head = head;
    await take(space, community.of('space'));
    assert.equal('lanes' in space.head, false);
  });
});
