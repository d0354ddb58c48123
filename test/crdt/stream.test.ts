import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccountId } from '../../lib/crdt/keys.ts';
import {
  accountStream,
  isStreamName,
  LOBBY_STREAM,
  otherOf,
  pairStream,
  placeOfStream,
  roomStream,
} from '../../lib/crdt/stream.ts';

const A = 'a'.repeat(32) as AccountId;
const B = 'b'.repeat(32) as AccountId;
const C = 'c'.repeat(32) as AccountId;

describe('names of streams', () => {
  it('say where a stream belongs', () => {
    assert.deepEqual(placeOfStream('space'), { type: 'space' });
    assert.deepEqual(placeOfStream(LOBBY_STREAM), { type: 'room', room: 'lobby' });
    assert.deepEqual(placeOfStream(roomStream(A)), { type: 'room', room: A });
    assert.deepEqual(placeOfStream(accountStream(A)), { type: 'account', account: A });
    assert.deepEqual(placeOfStream(pairStream(A, B)), { type: 'pair', a: A, b: B });
  });

  it('are the same for a pair whoever is named first', () => {
    assert.equal(pairStream(A, B), pairStream(B, A));
    assert.equal(otherOf(placeOfStream(pairStream(A, B)), A), B);
    assert.equal(otherOf(placeOfStream(pairStream(A, B)), B), A);
    assert.equal(otherOf(placeOfStream(pairStream(A, B)), C), undefined);
    assert.equal(otherOf(placeOfStream('space'), A), undefined);
  });

  it('are well-formed or refused', () => {
    for (const good of ['space', 'room/lobby', `room/${A}`, `pair/${A}:${B}`, `account/${A}`])
      assert.ok(isStreamName(good), good);
    for (const bad of [
      '',
      'Space',
      'space/',
      'room/',
      'room/Lobby',
      `room/${A}a`,
      `room/${'A'.repeat(32)}`,
      `pair/${B}:${A}`,
      `pair/${A}:${A}`,
      `pair/${A}`,
      `account/${A}\n`,
      ` account/${A}`,
      'account/lobby',
      '__proto__',
      undefined,
      null,
      7,
      ['space'],
      { toString: () => 'space' },
    ])
      assert.equal(isStreamName(bad), false, String(bad));
  });

  it('have parts that make them again, and no place in keys for anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(room|pair|account)\/[0-9a-f:]{0,70}$/)),
        (text) => {
          if (!isStreamName(text)) return;
          assert.match(text, /^[a-z0-9/:]{5,80}$/);
          const place = placeOfStream(text);
          const again =
            place.type === 'pair'
              ? pairStream(place.a, place.b)
              : place.type === 'account'
                ? accountStream(place.account)
                : place.type === 'room'
                  ? roomStream(place.room)
                  : place.type;
          assert.equal(again, text);
        },
      ),
    );
  });
});
