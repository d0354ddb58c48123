import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { Situation } from '../../lib/app/situation.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { LOBBY_STREAM, pairStream, roomStream } from '../../lib/crdt/stream.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';

const [A, B, C] = ['a', 'b', 'c'].map((one) => one.repeat(32) as RoomId) as [
  RoomId,
  RoomId,
  RoomId,
];
const BOB = pairStream('1'.repeat(32) as AccountId, '2'.repeat(32) as AccountId);

describe('where a person is', () => {
  it('is the lobby at first, and then the room entered last', () => {
    const situation = new Situation();
    assert.deepEqual([situation.room, situation.conversation], [undefined, LOBBY_STREAM]);
    situation.enter(A);
    situation.enter(B);
    situation.enter(B);
    assert.deepEqual([situation.room, situation.conversation], [B, roomStream(B)]);
    assert.deepEqual([situation.isIn(A), situation.isIn(C)], [true, false]);
    assert.equal(situation.leave(), B);
    assert.equal(situation.room, A);
    assert.equal(situation.leave(), A);
    assert.equal(situation.leave(), undefined);
    assert.equal(situation.conversation, LOBBY_STREAM);
  });

  it('may be elsewhere for what is typed, until one enters or leaves', () => {
    const situation = new Situation();
    situation.enter(A);
    situation.talk(BOB);
    assert.deepEqual([situation.room, situation.conversation], [A, BOB]);
    situation.talk(undefined);
    assert.equal(situation.conversation, roomStream(A));
    situation.talk(BOB);
    situation.enter(B);
    assert.equal(situation.conversation, roomStream(B));
    situation.talk(BOB);
    situation.leave();
    assert.equal(situation.conversation, roomStream(A));
  });

  it('is no room any more that is gone, wherever it was entered', () => {
    const situation = new Situation();
    for (const room of [A, B, A, C]) situation.enter(room);
    situation.talk(roomStream(B));
    situation.forget(B);
    assert.equal(situation.conversation, roomStream(C));
    // On both sides of it there was the same one.
    assert.deepEqual(situation.rooms, [A, C]);
    situation.forget(C);
    assert.equal(situation.room, A);
    situation.reset();
    assert.deepEqual([situation.room, situation.conversation], [undefined, LOBBY_STREAM]);
  });

  it('is nowhere for what is typed after a room was lost, until that has been told', async () => {
    const situation = new Situation();
    situation.enter(A);
    situation.enter(B);
    situation.lose(B, 'vault', 'put out');
    assert.deepEqual([situation.current, situation.room], [undefined, A]);
    situation.lose(A, 'garden', 'gone');
    const lost = { room: B, path: 'vault', how: 'put out' };
    assert.deepEqual(situation.takeLoss(), lost);
    assert.equal(situation.current, LOBBY_STREAM);
    // What came in together with the first text may be for the same ears.
    assert.deepEqual(situation.takeLoss(), lost);
    await setImmediate();
    assert.equal(situation.takeLoss(), undefined);
    assert.equal(situation.current, LOBBY_STREAM);
  });

  it('is chosen anew after a loss by going somewhere, and not by what happens elsewhere', () => {
    const chosen: ((situation: Situation) => unknown)[] = [
      (situation) => situation.enter(C),
      (situation) => situation.leave(),
      (situation) => situation.talk(BOB),
      (situation) => situation.talk(undefined),
      // The news of what somebody does may come before its answer.
      (situation) => situation.forget(B),
      (situation) => situation.reset(),
    ];
    for (const choose of chosen) {
      const situation = new Situation();
      for (const room of [A, B]) situation.enter(room);
      situation.lose(C, 'shed', 'gone');
      assert.equal(situation.current, roomStream(B));
      situation.lose(B, 'vault', 'left elsewhere');
      situation.forget(C);
      assert.equal(situation.current, undefined);
      choose(situation);
      assert.deepEqual(
        [situation.takeLoss(), situation.current],
        [undefined, situation.conversation],
      );
    }
  });

  it('never is twice in a row in the same room, nor remembers without end', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('enter' as const), room: fc.constantFrom(A, B, C) }),
      fc.record({ do: fc.constant('leave' as const), room: fc.constant(A) }),
      fc.record({ do: fc.constant('forget' as const), room: fc.constantFrom(A, B, C) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const situation = new Situation();
        for (const { do: what, room } of steps) {
          if (what === 'leave') situation.leave();
          else situation[what](room);
          if (what === 'enter') assert.equal(situation.room, room);
          if (what === 'forget') assert.ok(!situation.isIn(room));
          const { rooms } = situation;
          assert.ok(rooms.length <= 64);
          assert.ok(rooms.every((one, at) => at === 0 || one !== rooms[at - 1]));
          assert.equal(situation.room, rooms.at(-1));
        }
      }),
    );
  });
});
