import assert from 'node:assert/strict';
import type { AccountId, RoomId } from '../../../lib/crdt/keys.ts';
import { roomOf } from '../../../lib/crdt/rooms.ts';
import { Ephemeral, GRACE_MS, START_GRACE_MS } from '../../../lib/node/server/ephemeral.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { joinEntry, madeBy, newLock, roomEntry, type MadeRoom } from '../../support/rooms.ts';

const EXPORT = new Uint8Array(64).fill(5);

describe('temporary rooms', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  let online: Set<AccountId>;
  let faults: unknown[];
  /** Whether the next removal fails. */
  let fails: boolean;
  let ephemeral: Ephemeral;

  const start = async (): Promise<void> => {
    const { log, server, clock } = community;
    const { state } = await log.open('space');
    ephemeral = new Ephemeral({
      log,
      space: state,
      clock,
      isOnline: (account) => online.has(account),
      remove: async (room) => {
        if (fails) throw new Error('the disk is full');
        await community.seal(server.write('space', 'removeroom', { room }));
      },
      onFault: (error) => faults.push(error),
    });
  };

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    online = new Set([alice.account, bob.account]);
    faults = [];
    fails = false;
    await start();
  });
  afterEach(() => ephemeral.stop());

  const make = async (by: Member, name: string, change: object = {}): Promise<MadeRoom> =>
    madeBy(await community.seal(roomEntry(by, name, { lifetime: 'temporary', ...change })));
  const join = (who: Member, { id }: MadeRoom): Promise<unknown> =>
    community.seal(who.write('space', 'join', { room: id }));
  const pass = async (milliseconds: number): Promise<void> => {
    community.clock.pass(milliseconds);
    await ephemeral.sweep();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const lives = async ({ id }: { id: RoomId }): Promise<boolean> =>
    roomOf((await community.log.open('space')).state, id) !== undefined;
  const leaves = (who: Member): void => void online.delete(who.account);

  it('live while anybody who is in them is online, and a little longer', async () => {
    const room = await make(alice, 'lunch');
    await join(bob, room);
    const lasting = madeBy(await community.seal(roomEntry(alice, 'garden')));
    await pass(1_000);
    leaves(alice);
    await pass(100 * GRACE_MS);
    assert.ok(await lives(room));
    leaves(bob);
    await pass(GRACE_MS - 1);
    assert.ok(await lives(room));
    // A network that faltered.
    online.add(bob.account);
    await pass(1);
    leaves(bob);
    await pass(GRACE_MS - 1);
    assert.ok(await lives(room));
    await pass(1);
    assert.equal(await lives(room), false);
    assert.ok(await lives(lasting));
  });

  it('end at once when nobody is in them any more', async () => {
    const room = await make(alice, 'lunch');
    await community.seal(alice.write('space', 'leave', { room: room.id }));
    await pass(0);
    assert.equal(await lives(room), false);
  });

  it('live as long as one that lies in them', async () => {
    const outer = await make(alice, 'lunch');
    const inner = await make(bob, 'table', { parent: outer.id });
    leaves(alice);
    await pass(100 * GRACE_MS);
    await pass(100 * GRACE_MS);
    assert.ok(await lives(outer));
    leaves(bob);
    await pass(GRACE_MS);
    await pass(GRACE_MS);
    assert.deepEqual([await lives(outer), await lives(inner)], [false, false]);
  });

  it('that are closed know who is in them by their own stream', async () => {
    const lock = newLock(community.random, 1, EXPORT);
    const room = await make(alice, 'vault', { private: true, lock: lock.keys });
    // Its maker comes in only after having made it.
    await pass(0);
    assert.ok(await lives(room));
    await community.seal(joinEntry(alice, room, 'owner'));
    await community.seal(joinEntry(bob, room, lock.keyring));
    leaves(alice);
    await pass(100 * GRACE_MS);
    assert.ok(await lives(room));
    await community.seal(bob.write(room.stream, 'leave', {}));
    await pass(100 * GRACE_MS);
    assert.equal(await lives(room), false);
  });

  it('outlive a start of the server until all have had the time to come back', async () => {
    const room = await make(alice, 'lunch');
    await pass(0);
    await ephemeral.stop();
    online.clear();
    await start();
    await pass(START_GRACE_MS - 1);
    assert.ok(await lives(room));
    await pass(1);
    assert.equal(await lives(room), false);
  });

  it('are ended later where that fails', async () => {
    const room = await make(alice, 'lunch');
    await pass(0);
    leaves(alice);
    fails = true;
    await pass(GRACE_MS);
    assert.ok(await lives(room));
    assert.equal(faults.length, 1);
    fails = false;
    await pass(1);
    assert.equal(await lives(room), false);
  });
});
