import assert from 'node:assert/strict';
import type { Entry } from '../../../lib/crdt/entry.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { Attendance } from '../../../lib/node/client/attendance.ts';
import type { Member, SealedCommunity } from '../../support/community.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';
import {
  codeFacts,
  joinEntry,
  makeLocked,
  type MadeLock,
  type MadeRoom,
} from '../../support/rooms.ts';

describe('attendance', () => {
  const stage = homeStage();
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let bench: HomeBench;
  let room: MadeRoom;
  let lock: MadeLock;

  beforeEach(async () => {
    ({ community } = stage);
    alice = await community.join('alice');
    bob = await community.join('bob');
    ({ room, lock } = await makeLocked(community, alice, 'vault'));
    bench = await stage.open(bob);
  });

  let codes = 0;
  const invite = (): Entry =>
    alice.write(room.stream, 'code', codeFacts(`CODE${codes++}`, 1, community.clock.now() + 1_000));
  /** How much of each batch of the room is no news. */
  const past = (): number[] => {
    const attendance = new Attendance(bench.home.replica, bob.account);
    return community.of(room.stream).map((batch) => attendance.follow(batch));
  };

  it('begins with the entry by which one comes in', async () => {
    await community.seal(joinEntry(alice, room, 'owner'));
    const coming = [invite(), joinEntry(bob, room, lock.keyring), invite()];
    await Promise.all(coming.map((entry) => community.seal(entry)));
    await community.seal(invite());
    await bench.catchUp();
    assert.deepEqual(past(), [1, 1, 0]);
  });

  it('ends when one goes, and begins anew', async () => {
    const seal = (entry: Entry): Promise<Entry> => community.seal(entry);
    await seal(joinEntry(alice, room, 'owner'));
    await seal(alice.write(room.stream, 'members', { add: [bob.account], remove: [] }));
    await seal(invite());
    await seal(alice.write(room.stream, 'members', { add: [], remove: [bob.account] }));
    await seal(invite());
    await seal(joinEntry(bob, room, lock.keyring));
    await bench.catchUp();
    assert.deepEqual(past(), [1, 0, 0, 0, 1, 0]);
  });

  it('is known of what came as a snapshot, or was there before', async () => {
    await community.seal(joinEntry(alice, room, 'owner'));
    const coming = [invite(), joinEntry(bob, room, lock.keyring), invite()];
    for (const entry of coming) await community.seal(entry);
    await bench.catchUp();
    const late = (from: number): number[] => {
      const attendance = new Attendance(bench.home.replica, bob.account);
      return community
        .of(room.stream)
        .slice(from)
        .map((batch) => attendance.follow(batch));
    };
    assert.deepEqual([late(2), late(3)], [[0, 0], [0]]);
    const outsider = new Attendance(bench.home.replica, 'ab'.repeat(16) as AccountId);
    outsider.adopted(room.stream);
    assert.equal(outsider.follow(community.of(room.stream)[3]!), 1);
  });

  it('is for ever in open rooms', async () => {
    await community.say(alice, 'x');
    const attendance = new Attendance(bench.home.replica, bob.account);
    assert.equal(attendance.follow(community.of('room/lobby')[0]!), 0);
  });

  it('is what a person is told from', async () => {
    await community.seal(joinEntry(alice, room, 'owner'));
    await community.seal(invite());
    await community.seal(joinEntry(bob, room, lock.keyring));
    const events: string[] = [];
    await bench.restart({
      onRoom: (news) => events.push(news.kind === 'member' ? `${news.state}` : news.kind),
    });
    await bench.catchUp();
    await community.seal(alice.write(room.stream, 'leave', {}));
    await bench.catchUp();
    assert.deepEqual(events, ['left'], 'not who came before');
    assert.equal(bench.home.inbox.cursor(room.stream), 4);
  });
});
