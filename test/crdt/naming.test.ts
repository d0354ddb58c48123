import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sha256Hex } from '../../lib/crdt/bytes.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { changeOperations } from '../../lib/crdt/state-store.ts';
import { isKeyable, lookKey, roomLookKey, roomNameKey } from '../../lib/crdt/naming.ts';
import { isKey } from '../../lib/crdt/store-keys.ts';
import { isStableName, skeleton } from '../../lib/names.ts';
import { byteLength, fold, isName } from '../../lib/text.ts';

const ROOM = sha256Hex(Uint8Array.of(1)).slice(0, 32) as RoomId;
describe('names', () => {
  it('look the same in any case and in letters that are drawn alike', () => {
    for (const [one, other] of [
      ['alice', 'ALICE'],
      ['alice', '\u0430lice'],
      ['alice', 'al\u0456ce'],
      ['paypal', 'pаyраl'],
      ['kitchen', 'Kitchen'],
      ['o0', '0o'],
    ] as const)
      assert.equal(lookKey(one), lookKey(other), `${one} ${other}`);
  });

  it('look different otherwise', () => {
    const names = ['alice', 'alicia', 'bob', 'a', 'b', 'den', 'pen', 'Zoë', 'zoe', '世界', '🙂'];
    assert.equal(new Set(names.map(lookKey)).size, names.length);
  });

  it('are found by keys that are told apart by the room they lie in', () => {
    assert.equal(roomNameKey(undefined, 'Den'), 'den');
    assert.equal(roomNameKey(ROOM, 'Den'), `${ROOM}/den`);
    assert.equal(roomLookKey(undefined, 'Den'), lookKey('den'));
    assert.equal(roomLookKey(ROOM, 'Den'), `${ROOM}/${lookKey('den')}`);
    assert.notEqual(roomLookKey(ROOM, 'den'), roomLookKey('f'.repeat(32) as RoomId, 'den'));
  });

  it('are keys of the store, whatever they are, as far as they may be taken', () => {
    const names = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 32 })
      .map((text) => text.normalize('NFC'))
      .filter(isName);
    const longest = ['ᾷ', 'ΐ', 'ﬃ', '𐐀', 'ŉ', '𝒳', '世', '🙂'].map((one) => one.repeat(32));
    let kept = 0;
    const check = (name: string): void => {
      const isSeen = isStableName(name) && skeleton(name) !== '';
      assert.equal(isKeyable(name), isSeen && byteLength(fold(name)) <= 128);
      const value = ROOM;
      const stored = changeOperations('space', [
        { table: 'roomlook', id: roomLookKey(ROOM, name), value },
        ...(isKeyable(name) ? [{ table: 'roomname', id: roomNameKey(ROOM, name), value }] : []),
      ]);
      for (const { key } of stored) assert.ok(isKey(key), key);
      if (isKeyable(name)) kept++;
    };
    fc.assert(fc.property(names, check));
    for (const name of longest) check(name);
    assert.ok(kept > 50);
    assert.ok(!isKeyable('ᾷ'.repeat(32)));
    assert.ok(isKeyable('世'.repeat(32)));
    // Assigned since the tables were made, and such as nobody sees anything of.
    assert.ok(!isKeyable('\u2ffc'));
    assert.ok(!isKeyable('\u3164'));
  });
});
