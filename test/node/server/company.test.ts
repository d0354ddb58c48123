import assert from 'node:assert/strict';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { pairStream, roomStream, type StreamName } from '../../../lib/crdt/stream.ts';
import { eventually } from '../../support/channels.ts';
import type { Peer } from '../../support/roles.ts';
import { worldStage } from '../../support/world-stage.ts';

describe('those who are logged in', () => {
  const stage = worldStage();
  let alice: Peer;
  let bob: Peer;
  let carol: Peer;

  beforeEach(async () => {
    [alice, bob, carol] = await stage.world.members('alice', 'bob', 'carol');
  });

  /** What the others hear of somebody's typing. */
  const typing = async (by: Peer, stream: StreamName): Promise<string[]> => {
    const others = [alice, bob, carol].filter((peer) => peer !== by);
    for (const peer of others) peer.typing.length = 0;
    by.session.notify('typing', { stream });
    // What is told in passing is on its way before the answers.
    await by.session.call('ping', {});
    for (const { session } of others) await session.call('ping', {});
    return others.flatMap(({ member, typing: heard }) =>
      heard.map(({ user }) => `${member.name} hears of ${user}`),
    );
  };
  /** An open room that somebody makes and is in. */
  const room = async (by: Peer, name: string, parts: object = {}): Promise<RoomId> => {
    const entry = by.member.write('space', 'room', { name, private: false, ...parts });
    assert.deepEqual(await by.submit(entry), ['sealed']);
    return entry.id.slice(0, 32) as RoomId;
  };
  const act = async (by: Peer, kind: string, id: RoomId): Promise<void> => {
    assert.deepEqual(await by.submit(by.member.write('space', kind, { room: id })), ['sealed']);
  };

  describe('are told who is typing', () => {
    it('in the lobby, in which everybody is', async () => {
      assert.deepEqual(await typing(alice, 'room/lobby'), [
        'bob hears of alice',
        'carol hears of alice',
      ]);
    });

    it('in an open room, where they are in it', async () => {
      const id = await room(alice, 'den');
      const stream = roomStream(id);
      assert.deepEqual(await typing(alice, stream), []);
      await act(bob, 'join', id);
      assert.deepEqual(await typing(alice, stream), ['bob hears of alice']);
      await act(bob, 'leave', id);
      assert.deepEqual(await typing(alice, stream), []);
    });

    it('by those only who are in there themselves', async () => {
      const id = await room(alice, 'den');
      assert.deepEqual(await typing(bob, roomStream(id)), []);
      await act(bob, 'join', id);
      assert.deepEqual(await typing(bob, roomStream(id)), ['alice hears of bob']);
    });

    it('between two, where they are the other, and neither has blocked the other', async () => {
      const pair = pairStream(alice.member.account, bob.member.account);
      assert.deepEqual(await typing(alice, pair), ['bob hears of alice']);
      assert.deepEqual(await typing(carol, pair), []);
      assert.deepEqual(await bob.block(alice), ['sealed']);
      assert.deepEqual(await typing(alice, pair), []);
      assert.deepEqual(await typing(alice, 'room/lobby'), ['carol hears of alice']);
    });

    it('at a bounded rate', async () => {
      let heard = 0;
      for (let n = 0; n < 20; n++) heard += (await typing(alice, 'room/lobby')).length;
      assert.ok(heard >= 2 * 4 && heard < 2 * 20, `${heard}`);
      stage.clock.shift += 10_000;
      assert.equal((await typing(alice, 'room/lobby')).length, 2);
    });
  });

  describe('are told where somebody is', () => {
    const where = (by: Peer, of: Peer) =>
      by.session.call('whereis', { account: of.member.account });
    const tell = async (by: Peer, ...addresses: string[]): Promise<void> => {
      by.session.notify('reachable', { addresses });
      await by.session.call('ping', {});
    };

    it('as far as that one has told it, and it is where they have come from', async () => {
      const device = bob.member.id;
      assert.deepEqual(await where(alice, bob), { devices: [{ device, addresses: [] }] });
      await tell(bob, bob.transport.address, '10.9.9.9:1');
      const { address } = bob.transport;
      assert.deepEqual(await where(alice, bob), {
        devices: [{ device, addresses: [address] }],
      });
    });

    it('unless one of the two blocks the other, whoever is there', async () => {
      await tell(bob, bob.transport.address);
      assert.deepEqual(await bob.block(alice), ['sealed']);
      await assert.rejects(where(alice, bob), { code: 'BLOCKED' });
      await assert.rejects(where(bob, alice), { code: 'BLOCKED' });
      await bob.leave();
      await assert.rejects(where(alice, bob), { code: 'BLOCKED' });
    });

    it('of who is there, and not of oneself', async () => {
      await assert.rejects(where(alice, alice), { code: 'SELF' });
      const account = 'ab'.repeat(16) as typeof alice.member.account;
      await assert.rejects(alice.session.call('whereis', { account }), { code: 'NO_SUCH_USER' });
      await bob.leave();
      await eventually('bob is gone', async () =>
        where(alice, bob).then(
          () => false,
          ({ code }: { code: string }) => code === 'OFFLINE',
        ),
      );
    });

    it('where they are logged in', async () => {
      const stranger = await stage.world.peer('stranger');
      await assert.rejects(where(stranger, bob), { code: 'NOT_LOGGED_IN' });
    });
  });
});
