import assert from 'node:assert/strict';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { lineOf, lockOf, MAX_DEPTH, pathOf, roomAt, within } from '../../lib/crdt/rooms.ts';
import type { Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import { newLock, roomEntry, type MadeRoom } from '../support/rooms.ts';

const NOWHERE = 'e'.repeat(32) as RoomId;
const EXPORT = new Uint8Array(64).fill(5);

describe('rooms', () => {
  let { ledger, alice, bob, make, update, about } = roomLedger();
  beforeEach(() => {
    ({ ledger, alice, bob, make, update, about } = roomLedger());
  });

  /** Rooms in each other, so many, the outermost first. */
  const nested = (depth: number): MadeRoom[] => {
    const rooms: MadeRoom[] = [];
    for (let n = 1; n <= depth; n++)
      rooms.push(make(alice, `level${n}`, n === 1 ? {} : { parent: rooms.at(-1)!.id }));
    return rooms;
  };

  describe('lie in each other', () => {
    it('and are found by their paths', () => {
      const a = make(alice, 'A');
      const b = make(alice, 'b', { parent: a.id });
      const c = make(bob, 'C', { parent: b.id });
      const { space } = ledger;
      assert.equal(pathOf(space, c.id), 'A/b/C');
      for (const path of ['a/b/c', 'A/B/C']) assert.equal(roomAt(space, path), c.id);
      for (const path of ['b', 'a/c', 'c', 'a/b/c/d', '', '/', 'a/', '/a', 'a//b'])
        assert.equal(roomAt(space, path), undefined, path);
      assert.equal(pathOf(space, NOWHERE), undefined);
      assert.deepEqual(
        lineOf(space, c.id).map(({ id }) => id),
        [c.id, b.id, a.id],
      );
      assert.deepEqual(new Set(within(space, a.id)), new Set([a.id, b.id, c.id]));
      assert.deepEqual(within(space, c.id), [c.id]);
    });

    it('with names of their own among their siblings only', () => {
      const a = make(alice, 'a');
      const b = make(alice, 'b');
      make(alice, 'x', { parent: a.id });
      make(alice, 'x', { parent: b.id });
      make(alice, 'x');
      make(alice, 'a', { parent: a.id });
      ledger.refuse(roomEntry(bob, 'X', { parent: a.id }), 'NAME_TAKEN');
      ledger.refuse(roomEntry(bob, '\u0445', { parent: a.id }), 'NAME_TAKEN');
      ledger.refuse(roomEntry(bob, 'x', { parent: NOWHERE }), 'NO_SUCH_ROOM');
    });

    it(`${MAX_DEPTH} deep and no deeper`, () => {
      assert.equal(MAX_DEPTH, 16);
      const rooms = nested(MAX_DEPTH);
      const deepest = rooms.at(-1)!;
      const path = pathOf(ledger.space, deepest.id)!;
      assert.equal(path.split('/').length, MAX_DEPTH);
      assert.equal(roomAt(ledger.space, path), deepest.id);
      ledger.refuse(roomEntry(alice, 'more', { parent: deepest.id }), 'NESTING');
      const other = make(alice, 'other');
      ledger.refuse(update(alice, other, { parent: deepest.id }), 'NESTING');
      ledger.accept(update(alice, other, { parent: rooms.at(-2)!.id }));
      assert.equal(roomAt(ledger.space, `${path}/x`), undefined);
    });

    it('which is counted with all that they hold when they are moved', () => {
      const rooms = nested(MAX_DEPTH);
      const top = make(alice, 'top');
      const inner = make(alice, 'inner', { parent: top.id });
      ledger.refuse(update(alice, top, { parent: rooms[14]!.id }), 'NESTING');
      ledger.accept(update(alice, top, { parent: rooms[13]!.id }));
      assert.equal(lineOf(ledger.space, inner.id).length, MAX_DEPTH);
      ledger.refuse(roomEntry(alice, 'more', { parent: inner.id }), 'NESTING');
      // And out again.
      ledger.accept(update(alice, top, { parent: null }));
      assert.equal(pathOf(ledger.space, inner.id), 'top/inner');
    });

    it('and never in themselves', () => {
      const rooms = nested(4);
      for (const room of rooms)
        ledger.refuse(update(alice, rooms[0]!, { parent: room.id }), 'NESTING');
      ledger.refuse(update(alice, rooms[2]!, { parent: rooms[3]!.id }), 'NESTING');
      ledger.accept(update(alice, rooms[3]!, { parent: rooms[0]!.id }));
    });
  });

  describe('have locks', () => {
    const lock = (by: Member, room: MadeRoom, generation: number): Entry =>
      about(by, 'lock', room, { lock: newLock(ledger.random, generation, EXPORT).keys });

    it('that open what lies within, up to the next private room', () => {
      const keys = newLock(ledger.random, 1, EXPORT).keys;
      const outer = make(alice, 'outer', { private: true, lock: keys });
      const inner = make(alice, 'inner', { parent: outer.id });
      const core = make(alice, 'core', { parent: inner.id, private: true });
      const seed = make(alice, 'seed', { parent: core.id });
      const { space } = ledger;
      assert.equal(lockOf(space, inner.id)?.holder, outer.id);
      for (const { id } of [core, seed]) assert.equal(lockOf(space, id), undefined);
      ledger.accept(lock(alice, core, 1));
      assert.equal(lockOf(space, seed.id)?.holder, core.id);
      ledger.refuse(lock(alice, inner, 1), 'NOT_SUPPORTED');
    });
  });
});
