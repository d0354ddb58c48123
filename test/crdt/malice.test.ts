/** A server that seals what it must not, or tells what never was. */
import assert from 'node:assert/strict';
import { currentEpoch } from '../../lib/crdt/conversation.ts';
import { eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { sealTo } from '../../lib/crdt/keys.ts';
import { accountOf } from '../../lib/crdt/records.ts';
import { entryItem, signSeal } from '../../lib/crdt/seal.ts';
import { Secrets } from '../../lib/crdt/secrets.ts';
import { State } from '../../lib/crdt/state.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, Writer, wireOf, type Member } from '../support/community.ts';
import { ReplicaBench, snapshotOf } from '../support/replicas.ts';

describe('a server that does as it pleases', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let hers: ReplicaBench;
  let pair: StreamName;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    hers = await ReplicaBench.open(community, alice);
    await hers.follow(community.of('space'));
    pair = pairStream(alice.account, bob.account);
  });

  const members = (): Member[] => [alice, bob].sort((a, b) => (a.account < b.account ? -1 : 1));

  const secrets = (): Secrets =>
    new Secrets({
      server: community.server.id,
      device: alice.id,
      account: alice.account,
      random: community.random,
      keyring: () => alice.keyring,
      space: () => hers.replica.space,
      provedLock: () => undefined,
      opened: () => undefined,
      isProven: (epoch) => hers.replica.isProven(epoch),
      keptEpoch: (epoch) => hers.replica.keptEpoch(epoch),
    });

  /** A key epoch for both, by the device of nobody, whose key the server has. */
  const ownEpoch = (): Entry => {
    const nobody = new Writer(community.server.id, community.random);
    const key = community.random(32);
    const wraps = members().map(({ account, keyring }) => [
      account,
      1,
      sealTo(keyring.box.public, key, community.random),
    ]);
    return nobody.write(pair, 'epoch', { number: 1, wraps });
  };

  it('cannot open a key epoch under a space that nobody has seen', async () => {
    const space = hers.replica.log.headOf('space').length + 1;
    assert.equal(await hers.ingest(community.unjudged([ownEpoch()], { space })), 'waiting');
    assert.equal(hers.replica.log.headOf(pair).length, 0);
  });

  for (const back of [0, 1])
    it(`cannot open a key epoch ${back === 0 ? 'today' : 'in the past'}`, async () => {
      const space = hers.replica.log.headOf('space').length - back;
      assert.equal(await hers.ingest(community.unjudged([ownEpoch()], { space })), 'added');
      assert.ok(hers.replica.isVoid(pair, 0));
      const { state } = await hers.replica.log.open(pair);
      assert.equal(currentEpoch(pair, state, hers.replica.space), undefined);
      assert.equal(secrets().writable(pair, state), undefined);
    });

  it('cannot write in a conversation of others in the past', async () => {
    const carol = await community.join('carol');
    await hers.follow(community.of('space').slice(-1));
    const epoch = carol.write(pair, 'epoch', alice.epoch(members(), 1, community.random(32)));
    const space = hers.replica.log.headOf('space').length - 1;
    assert.equal(await hers.ingest(community.unjudged([epoch], { space })), 'added');
    assert.ok(hers.replica.isVoid(pair, 0));
  });

  it('cannot choose by a snapshot what is written under', async () => {
    const epoch = ownEpoch();
    const state = new State();
    const wraps = members().map(({ account, keyring }) => [
      account,
      1,
      sealTo(keyring.box.public, new Uint8Array(32), community.random),
    ]);
    state.load('epoch', epoch.id, { number: 1, wraps });
    state.load('epochs', 'current', epoch.id);
    const { seal } = community.unjudged([epoch], { state: state.rehash() });
    await hers.replica.adopt(seal.bytes, [...state.records()]);
    const mine = (await hers.replica.log.open(pair)).state;
    assert.ok(currentEpoch(pair, mine, hers.replica.space));
    assert.equal(secrets().writable(pair, mine), undefined);
    // Nor by the entry that opened it, which is nobody's.
    await hers.replica.ingestOlder(pair, [
      wireOf(community.unjudged([epoch], { state: state.rehash() })),
    ]);
    assert.equal(secrets().writable(pair, mine), undefined);
  });

  it('has an epoch of a member used once the entry that opened it is seen', async () => {
    const body = alice.epoch(members(), 1, community.random(32));
    await community.seal(bob.write(pair, 'epoch', body));
    const { seal, records } = await snapshotOf(community, pair);
    await hers.replica.adopt(seal, records);
    const { state } = await hers.replica.log.open(pair);
    assert.equal(secrets().writable(pair, state), undefined);
    await hers.replica.ingestOlder(pair, community.of(pair).toReversed().map(wireOf));
    const current = currentEpoch(pair, state, hers.replica.space);
    assert.equal(secrets().writable(pair, state), current?.id);
    await hers.restart();
    assert.ok(hers.replica.isProven(current!.id));
  });

  it('cannot replace what is known of people by a snapshot, even after a fork', async () => {
    await community.join('carol');
    const { seal, records } = await snapshotOf(community, 'space');
    await assert.rejects(hers.replica.adopt(seal, records), { code: 'BAD_ENTRY' });
    await hers.replica.rewind('space', 1);
    assert.equal(hers.replica.log.headOf('space').length, 0);
    await assert.rejects(hers.replica.adopt(seal, records), { code: 'BAD_ENTRY' });
    await hers.restart();
    assert.equal(hers.replica.takesSnapshot('space'), false);
    await assert.rejects(hers.replica.adopt(seal, records), { code: 'BAD_ENTRY' });
    // All entries tell of everything again.
    await hers.follow(community.of('space'));
    assert.equal(accountOf(hers.replica.space, bob.account)?.name, 'bob');
    assert.ok(await hers.replica.verifyState('space'));
  });

  it('cannot leave out the body of what makes the state', async () => {
    const entry = alice.write(pair, 'epoch', alice.epoch(members(), 1, community.random(32)));
    const batch = community.unjudged([entry]);
    const bare = { ...batch, items: [entryItem(eraseBody(entry))] };
    await assert.rejects(hers.ingest(bare), { code: 'BAD_ENTRY' });
    const said = alice.write(LOBBY_STREAM, 'say', { text: 'gone' });
    const erased = { ...community.unjudged([said]), items: [entryItem(eraseBody(said))] };
    assert.equal(await hers.ingest(erased), 'added');
  });

  it('is not believed in advance: what it has not signed is not even kept', async () => {
    const stranger = new Writer(community.server.id, community.random);
    const entry = alice.write(LOBBY_STREAM, 'say', { text: 'x' });
    const { items } = community.unjudged([entry]);
    const seal = signSeal(stranger.key, {
      ...community.unjudged([entry]).seal,
      first: 10,
      server: undefined,
    } as unknown as Parameters<typeof signSeal>[1]);
    await assert.rejects(hers.ingest({ seal, items }), { code: 'BAD_ENTRY' });
  });
});
