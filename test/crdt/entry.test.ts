import assert from 'node:assert/strict';
import fc from 'fast-check';
import { equal, fromHex, toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { decode, encode } from '../../lib/crdt/codec.ts';
import {
  commitmentOf,
  compareUnsealed,
  decodeEntry,
  encodeEntry,
  eraseBody,
  MAX_BODY,
  MAX_ENTRY,
  MAX_TIME,
  placeOf,
  signEntry,
  verifyEntry,
  type Entry,
  type Header,
} from '../../lib/crdt/entry.ts';
import { SigningKey, type EntryId } from '../../lib/crdt/keys.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { codeOf } from '../../lib/errors.ts';
import { flipped, truncated } from '../support/mutate.ts';

const key = new SigningKey(new Uint8Array(32).fill(1));
const server = new SigningKey(new Uint8Array(32).fill(2)).public;
const salt = new Uint8Array(16).fill(3);
const bad = { name: 'ClchatError', code: 'BAD_ENTRY' };

function make(change: Partial<Header> = {}, body: Uint8Array = encode({ text: 'hi' })): Entry {
  const header = {
    server,
    stream: LOBBY_STREAM,
    seq: 1,
    previous: null,
    clock: 1,
    time: 1_700_000_000_000,
    kind: 'say',
    ...change,
  };
  return signEntry(key, header, body, salt);
}

/** The encoded entry with some of its fields replaced, signed as before. */
function withFields(entry: Entry, change: (fields: unknown[]) => unknown): Uint8Array {
  const fields = decode(encodeEntry(entry)) as unknown[];
  return encode(change(fields));
}

/** The entry with some of its header's fields replaced, signed anew. */
function withHeader(entry: Entry, change: (fields: unknown[]) => unknown[]): Uint8Array {
  const headerBytes = encode(change(decode(entry.headerBytes) as unknown[]));
  const signature = key.sign('clchat entry v1', headerBytes);
  return withFields(entry, ([, , , ...rest]) => [0, headerBytes, signature, ...rest]);
}

describe('entries', () => {
  it('come back as they were signed', () => {
    const id = 'ab'.repeat(32) as EntryId;
    const texts = fc.string({ minLength: 1, maxLength: 16 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(
        fc.record({
          seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
          clock: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
          time: fc.integer({ min: 0, max: MAX_TIME }),
          previous: fc.constantFrom(null, id),
          kind: texts,
        }),
        fc.uint8Array({ maxLength: 300 }),
        (header, body) => {
          const entry = make(header, body);
          const bytes = encodeEntry(entry);
          const back = decodeEntry(bytes);
          assert.ok(verifyEntry(back));
          assert.ok(equal(encodeEntry(back), bytes));
          assert.equal(back.id, entry.id);
          for (const [name, value] of Object.entries(header))
            assert.deepEqual(back[name as keyof Header], value);
          assert.ok(equal(back.body ?? assert.fail(), body));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are of a moment that there is a date for', () => {
    const last = decodeEntry(encodeEntry(make({ time: MAX_TIME })));
    assert.doesNotThrow(() => new Date(last.time).toISOString());
    for (const time of [MAX_TIME + 1, Number.MAX_SAFE_INTEGER])
      assert.throws(() => decodeEntry(encodeEntry(make({ time }))), bad);
  });

  it('verify in every bit, or not at all', () => {
    const bytes = encodeEntry(make());
    for (const altered of flipped(bytes)) {
      try {
        assert.equal(verifyEntry(decodeEntry(altered)), false);
      } catch (error) {
        assert.equal(codeOf(error), 'BAD_ENTRY');
      }
    }
    for (const cut of truncated(bytes)) assert.throws(() => decodeEntry(cut), bad);
  });

  it('have exactly one encoding', () => {
    const bytes = encodeEntry(make());
    // The leading zero as a floating-point number.
    const float = Uint8Array.of(0xfb, 0, 0, 0, 0, 0, 0, 0, 0);
    const other = Uint8Array.from([bytes[0]!, ...float, ...bytes.subarray(2)]);
    assert.throws(() => decodeEntry(other), bad);
  });

  it('keep their identity without their body', () => {
    const entry = make();
    const erased = decodeEntry(encodeEntry(eraseBody(entry)));
    assert.ok(verifyEntry(erased));
    assert.equal(erased.id, entry.id);
    assert.equal(erased.body, undefined);
    const bytes = encodeEntry(erased);
    assert.ok(!Buffer.from(bytes).includes(Buffer.from(entry.body!)));
    assert.ok(!Buffer.from(bytes).includes(Buffer.from(salt)));
  });

  it('commit to salt and body', () => {
    const entry = make();
    const bad1 = withFields(entry, ([...fields]) => [
      ...fields.slice(0, 4),
      encode({ text: 'ho' }),
    ]);
    const bad2 = withFields(entry, ([a, b, c, , e]) => [a, b, c, new Uint8Array(16), e]);
    for (const bytes of [bad1, bad2])
      assert.throws(() => decodeEntry(bytes), { ...bad, message: /commitment/ });
    assert.ok(!equal(commitmentOf(salt, utf8('a')), commitmentOf(salt, utf8('b'))));
  });

  it('are bounded in size', () => {
    const largest = make({}, new Uint8Array(MAX_BODY));
    assert.ok(encodeEntry(largest).length <= MAX_ENTRY);
    assert.ok(verifyEntry(decodeEntry(encodeEntry(largest))));
    assert.throws(() => make({}, new Uint8Array(MAX_BODY + 1)), { code: 'TOO_LARGE' });
    assert.throws(() => decodeEntry(new Uint8Array(MAX_ENTRY + 1)), bad);
    const body = new Uint8Array(MAX_BODY + 1);
    const header = withHeader(make(), (fields) => [
      ...fields.slice(0, 9),
      commitmentOf(salt, body),
    ]);
    const bytes = encode([...(decode(header) as unknown[]).slice(0, 4), body]);
    assert.ok(bytes.length <= MAX_ENTRY);
    assert.throws(() => decodeEntry(bytes), { ...bad, message: /body/ });
  });

  it('refuse every field that is not as it must be', () => {
    const entry = make();
    const replace = (index: number, value: unknown) => (fields: unknown[]) =>
      fields.map((field, at) => (at === index ? value : field));
    const fields: [index: number, values: unknown[]][] = [
      [0, [0, 2, '1', null]],
      [1, [new Uint8Array(31), 'server', null]],
      [2, ['', 'nowhere', 'room/LOBBY', 7, null]],
      [3, [new Uint8Array(33), null]],
      [4, [0, -1, 1.5, '1', null]],
      [5, [new Uint8Array(31), 0, 'x']],
      [6, [0, -1, 0.5, null]],
      [7, [-1, 1.5, 'now', null]],
      [8, ['', 'x'.repeat(17), 7, null]],
      [9, [new Uint8Array(31), null]],
    ];
    for (const [index, values] of fields)
      for (const value of values)
        assert.throws(
          () => decodeEntry(withHeader(entry, replace(index, value))),
          bad,
          `${index}: ${String(value)}`,
        );
    assert.throws(() => decodeEntry(withHeader(entry, (all) => all.slice(1))), bad);
    assert.throws(() => decodeEntry(withHeader(entry, (all) => [...all, 0])), bad);
    const outer: ((fields: unknown[]) => unknown)[] = [
      (all) => all.slice(0, 4),
      (all) => [...all, 0],
      (all) => ({ ...all }),
      replace(0, 1),
      replace(0, 2),
      replace(1, 'header'),
      replace(1, new Uint8Array()),
      replace(1, new Uint8Array(100).fill(0xff)),
      replace(1, encode({})),
      replace(1, encode(['x'.repeat(2_000)])),
      replace(2, new Uint8Array(63)),
      replace(3, new Uint8Array(15)),
      replace(4, 'body'),
    ];
    for (const change of outer)
      assert.throws(() => decodeEntry(withFields(entry, change)), bad, String(change));
  });

  it('refuse a header that is not canonical', () => {
    const entry = make();
    // 1 as a floating-point number.
    const one = Uint8Array.of(0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0);
    const headerBytes = Uint8Array.from([
      entry.headerBytes[0]!,
      ...one,
      ...entry.headerBytes.subarray(2),
    ]);
    const bytes = withFields(entry, ([, , ...rest]) => [0, headerBytes, ...rest]);
    assert.throws(() => decodeEntry(bytes), bad);
  });

  it('are signed by the device they name and no other', () => {
    const entry = make();
    const other = new SigningKey(new Uint8Array(32).fill(9));
    const bytes = withFields(entry, ([a, b, , ...rest]) => [
      a,
      b,
      other.sign('clchat entry v1', entry.headerBytes),
      ...rest,
    ]);
    assert.equal(verifyEntry(decodeEntry(bytes)), false);
    const moved = withHeader(entry, (all) =>
      all.map((field, at) => (at === 3 ? fromHex(other.public) : field)),
    );
    assert.equal(verifyEntry(decodeEntry(moved)), false);
    const tag = withFields(entry, ([a, b, , ...rest]) => [
      a,
      b,
      key.sign('clchat seal v1', entry.headerBytes),
      ...rest,
    ]);
    assert.equal(verifyEntry(decodeEntry(tag)), false);
  });

  it('have a total order while no seal has ordered them', () => {
    const entry = fc
      .record({
        clock: fc.integer({ min: 1, max: 3 }),
        device: fc.constantFrom('a', 'b'),
        id: fc.constantFrom('x', 'y', 'z'),
      })
      .map((fields) => fields as unknown as Entry);
    fc.assert(
      fc.property(entry, entry, entry, (a, b, c) => {
        const same = a.clock === b.clock && a.device === b.device && a.id === b.id;
        assert.equal(compareUnsealed(a, b) === 0, same);
        assert.equal(Math.sign(compareUnsealed(a, b)), -Math.sign(compareUnsealed(b, a)) + 0);
        if (compareUnsealed(a, b) <= 0 && compareUnsealed(b, c) <= 0)
          assert.ok(compareUnsealed(a, c) <= 0);
      }),
    );
  });

  it('have a place that no other place shares', () => {
    const places = new Set<string>();
    const epochs = ['11'.repeat(32), '22'.repeat(32)];
    for (const epoch of epochs)
      for (const stream of ['space', LOBBY_STREAM] as const)
        for (const seq of [1, 2, 256])
          for (const device of [server, key.public])
            for (const home of [server, key.public]) {
              const place = placeOf({ server: home, stream, device, seq }, epoch);
              places.add(toHex(place));
            }
    assert.equal(places.size, 2 * 2 * 3 * 2 * 2);
  });
});
