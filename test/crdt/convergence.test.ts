/**
 * Whatever happens in a community, its server and all replicas come to the same states: those that
 * were there all the time, those that have one stream before the other, and those that began from a
 * snapshot. Random people with random devices do random things, some of them wrong.
 */
import assert from 'node:assert/strict';
import { toHex } from '../../lib/crdt/bytes.ts';
import { encodeEntry } from '../../lib/crdt/entry.ts';
import { roomOf } from '../../lib/crdt/rooms.ts';
import { openBatch } from '../../lib/crdt/seal.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { placeOfStream, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf } from '../support/community.ts';
import { Life } from '../support/life.ts';
import { ReplicaBench, snapshotOf } from '../support/replicas.ts';

/** Where messages are and what has been done about them; what is still to be erased. */
async function contentOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of ['n!', 'b!', 'k!'])
    for await (const [key] of store.entries(prefixed(prefix))) keys.push(key);
  return keys;
}

describe('a community and its replicas', function () {
  this.timeout(120_000);
  const total = new Map<string, number>();

  for (let seed = 3; seed <= 8; seed++)
    it(`come to the same states: seed ${seed}`, async () => {
      const community = await SealedCommunity.found(seed);
      const life = new Life(seed, community);
      await life.begin();
      for (let round = 0; round < 260; round++) await life.round();
      for (const [label, count] of life.outcomes) total.set(label, (total.get(label) ?? 0) + count);

      const { log, batches } = community;
      for (const batch of batches)
        openBatch(batch.seal.bytes, wireOf(batch).items, community.server.id);
      const device = life.devices[0]!;
      const { state: space } = await log.open('space');
      // A room that is gone is given to nobody any more.
      const isGone = (name: StreamName): boolean => {
        const place = placeOfStream(name);
        return place.type === 'room' && roomOf(space, place.room) === undefined;
      };
      const names = await log.names();
      const others = names.filter((name) => name !== 'space' && !isGone(name));

      const live = await ReplicaBench.open(community, device);
      await live.follow(batches);

      const spaceFirst = await ReplicaBench.open(community, device);
      for (const name of ['space' as const, ...others]) await spaceFirst.follow(community.of(name));

      const early = await ReplicaBench.open(community, device);
      const half = Math.floor(batches.length / 2);
      await early.follow(batches.slice(0, half));
      const late = await ReplicaBench.open(community, device);
      // The space first: who wrote the rest is in it.
      for (const bench of [early, late])
        for (const name of ['space' as const, ...others]) {
          if (!bench.replica.takesSnapshot(name)) {
            // Who knows the space already follows it to the end.
            const { length } = bench.replica.log.headOf(name);
            await bench.follow(community.of(name).filter(({ seal }) => seal.first >= length));
            continue;
          }
          const { seal, records } = await snapshotOf(community, name);
          // Records in any order.
          await bench.replica.adopt(seal, records.toReversed());
          await bench.replica.ingestOlder(name, community.of(name).toReversed().map(wireOf));
        }

      const content = await contentOf(log.store);
      for (const [what, { replica }] of Object.entries({ live, spaceFirst, early, late })) {
        for (const name of what === 'live' ? names : ['space' as const, ...others]) {
          const [mine, theirs] = [await replica.log.open(name), await log.open(name)];
          const where = `${what}: ${name}`;
          assert.equal(mine.head.seal, theirs.head.seal, where);
          assert.deepEqual(mine.head.have, [[0, theirs.head.length]], where);
          for (let at = 0; at < theirs.head.length; at++) {
            const item = replica.log.item(name, at)!;
            assert.equal(toHex(item.bytes), toHex(log.item(name, at)!.bytes));
            const kind = item.type === 'entry' ? item.entry.kind : item.type;
            assert.equal(replica.isVoid(name, at), false, `${where} ${at} ${kind}`);
          }
          assert.equal(toHex(mine.state.rehash()), toHex(theirs.state.hash()), where);
          assert.ok(await replica.verifyState(name), where);
        }
        if (what === 'live') assert.deepEqual(await contentOf(replica.log.store), content);
      }

      // What was sealed gets the same answer for ever, from a server that has been restarted too.
      await community.restart();
      for (const entry of life.sent.slice(0, 40)) {
        const outcome = await community.sealer.submit({ entry, bytes: encodeEntry(entry) });
        const place = community.log.find(entry.id)!;
        assert.deepEqual(outcome, { type: 'sealed', position: place.position });
      }
    });

  it('have done all that there is to do, and been refused all that can be', () => {
    const kinds =
      'account ban block call code createuser creategroup device edit elevate epoch expel join leave ' +
      'lock members motd owner password react read recover remove removegroup removeroom ' +
      'removeuser renameserver request reset retire revoke room say sealed setgroup suppress unban ' +
      'updategroup updateroom updateuser';
    const codes =
      'ALREADY BAD_CODE BAD_ENTRY BAD_PASSWORD DENIED NAME_TAKEN NOT_MEMBER NOT_OWNER ' +
      'NO_SUCH_GROUP NO_SUCH_ROOM NO_SUCH_USER OUT_OF_ORDER REVOKED STALE_KEY WAITING';
    for (const label of `${kinds} ${codes}`.split(' '))
      assert.ok((total.get(label) ?? 0) > 0, `no ${label} in ${JSON.stringify([...total])}`);
  });
});
