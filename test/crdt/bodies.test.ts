import assert from 'node:assert/strict';
import fc from 'fast-check';
import { actionOf, BODIES, messageText, type StreamBodies } from '../../lib/crdt/bodies.ts';
import { encode } from '../../lib/crdt/codec.ts';
import { eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { MAX_TEXT_BYTES } from '../../lib/text.ts';
import * as v from 'valibot';

const entry = (kind: string, body: Uint8Array | undefined): Entry =>
  ({ kind, body, salt: new Uint8Array(16) }) as Entry;

describe('bodies', () => {
  it('are understood by stream and kind', () => {
    const say = entry('say', encode({ text: 'hi' }));
    assert.deepEqual(actionOf(say, 'room'), { kind: 'say', body: { text: 'hi' } });
    assert.equal(actionOf(say, 'pair'), undefined);
    assert.equal(actionOf(say, 'space'), undefined);
    assert.equal(actionOf(eraseBody(say), 'room'), undefined);
  });

  it('of unknown kinds say nothing', () => {
    for (const kind of ['', 'shout', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      for (const type of Object.keys(BODIES) as (keyof StreamBodies)[])
        assert.equal(actionOf(entry(kind, encode({})), type), undefined);
  });

  it('with a field too many, too few or of another type say nothing', () => {
    for (const body of [{}, { text: 7 }, { text: 'a', more: 1 }, { text: '' }, [], 'a', null, 7])
      assert.equal(actionOf(entry('say', encode(body)), 'room'), undefined, JSON.stringify(body));
    const room = (body: unknown): unknown => actionOf(entry('room', encode(body)), 'space');
    assert.ok(room({ name: 'kitchen', private: false }));
    for (const name of ['', 'a b', 'a/b', '#a', 'x'.repeat(33), '\u202eabc', 'e\u0301', 7])
      assert.equal(room({ name, private: false }), undefined, String(name));
  });

  it('bound texts by their bytes', () => {
    assert.ok(v.is(messageText, 'x'.repeat(MAX_TEXT_BYTES)));
    assert.ok(!v.is(messageText, 'x'.repeat(MAX_TEXT_BYTES + 1)));
    assert.ok(v.is(messageText, 'ü'.repeat(MAX_TEXT_BYTES / 2)));
    assert.ok(!v.is(messageText, `ü${'x'.repeat(MAX_TEXT_BYTES - 1)}`));
  });

  it('bound lists', () => {
    const account = '0'.repeat(32);
    const members = (length: number): unknown => ({ add: Array(length).fill(account), remove: [] });
    assert.ok(actionOf(entry('members', encode(members(512))), 'room'));
    assert.equal(actionOf(entry('members', encode(members(513))), 'room'), undefined);
    const epoch = (length: number): unknown => ({
      number: 1,
      wraps: Array(length).fill([account, 1, new Uint8Array(80)]),
    });
    assert.ok(actionOf(entry('epoch', encode(epoch(2))), 'pair'));
    assert.equal(actionOf(entry('epoch', encode(epoch(3))), 'pair'), undefined);
  });

  it('survive any bytes, and any values, of every kind', () => {
    const kinds = Object.entries(BODIES).flatMap(([type, schemas]) =>
      Object.keys(schemas).map((kind) => [type as keyof StreamBodies, kind] as const),
    );
    const encoded = fc
      .dictionary(
        fc.constantFrom('text', 'name', 'device', 'keyring', 'password', 'account', 'wraps', 'box'),
        fc.oneof(
          fc.string().filter((s) => s.isWellFormed()),
          fc.nat(),
          fc.uint8Array(),
          fc.constant(null),
        ),
        { noNullPrototype: true },
      )
      .map(encode);
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.oneof(fc.uint8Array(), encoded),
        ([type, kind], body) => {
          const action = actionOf(entry(kind, body), type);
          if (action === undefined) return;
          const schemas: Record<string, v.GenericSchema> = BODIES[type];
          assert.ok(v.is(schemas[kind]!, action.body));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
