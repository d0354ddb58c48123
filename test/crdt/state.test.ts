import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { Overlay, SetHash, State, type Change, type Reader } from '../../lib/crdt/state.ts';

const table = fc.constantFrom('account', 'head', 'epoch');
const id = fc.constantFrom('a', 'b', 'c', 'd');
const value = fc.oneof(fc.nat(3), fc.constant(undefined), fc.record({ seq: fc.nat(2) }));
const changes: fc.Arbitrary<Change[]> = fc.array(fc.record({ table, id, value }), {
  maxLength: 12,
});

function contents(reader: Reader): unknown {
  return ['account', 'head', 'epoch'].map((name) =>
    [...reader.entries(name)].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('the set hash', () => {
  const records = fc.uniqueArray(fc.uint8Array({ maxLength: 8 }), {
    selector: toHex,
    maxLength: 8,
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(
        records.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          const [a, b] = [new SetHash(), new SetHash()];
          for (const record of list) a.add(record);
          for (const record of shuffled) b.add(record);
          assert.equal(toHex(a.digest()), toHex(b.digest()));
        },
      ),
    );
  });

  it('forgets what is removed, and nothing else', () => {
    fc.assert(
      fc.property(records, fc.uint8Array({ minLength: 9, maxLength: 9 }), (list, extra) => {
        const hash = new SetHash();
        for (const record of list) hash.add(record);
        const before = toHex(hash.digest());
        hash.add(extra);
        assert.notEqual(toHex(hash.digest()), before);
        hash.remove(extra);
        assert.equal(toHex(hash.digest()), before);
      }),
    );
  });

  it('tells one record more or less, and twice from once', () => {
    const digests = new Set<string>();
    const hash = new SetHash();
    for (let i = 0; i < 50; i++) {
      digests.add(toHex(hash.digest()));
      hash.add(utf8(String(i % 10)));
    }
    assert.equal(digests.size, 50);
  });

  it('goes on from its stored lanes, and a copy goes its own way', () => {
    const hash = new SetHash();
    hash.add(utf8('a'));
    const stored = Uint8Array.from(hash.bytes);
    assert.equal(stored.length, 2_048);
    const copy = hash.copy();
    copy.add(utf8('b'));
    assert.notEqual(toHex(copy.digest()), toHex(hash.digest()));
    const again = new SetHash(stored);
    again.add(utf8('b'));
    assert.equal(toHex(again.digest()), toHex(copy.digest()));
  });
});

describe('a state', () => {
  it('has the same hash however it came about, and whenever it was asked for', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 5 }), fc.array(fc.boolean()), (batches, asked) => {
        const state = new State();
        for (const [index, batch] of batches.entries()) {
          state.apply(batch);
          if (asked[index] === true) state.hash();
        }
        const fresh = new State();
        for (const { table: name, id: key, value: record } of state.records())
          fresh.load(name, key, record);
        const expected = toHex(fresh.rehash());
        assert.equal(toHex(state.hash()), expected);
        assert.equal(toHex(state.rehash()), expected);
      }),
    );
  });

  it('previews the hash that changes will give, and adopts them with it', () => {
    // What is handed to preview and adopt are the net changes, one a record.
    const net = fc.uniqueArray(fc.record({ table, id, value }), {
      selector: (change) => `${change.table}!${change.id}`,
    });
    fc.assert(
      fc.property(changes, net, (before, after) => {
        const state = new State();
        state.apply(before);
        const unchanged = toHex(state.hash());
        const preview = state.preview(after);
        assert.equal(toHex(state.hash()), unchanged);
        state.adopt(after, preview);
        assert.equal(toHex(state.hash()), toHex(preview.digest()));
        assert.equal(toHex(state.hash()), toHex(state.rehash()));
      }),
    );
  });

  it('goes on from stored records and lanes', () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const state = new State();
        state.apply(before);
        const { bytes } = state.preview([]);
        const loaded = new State(Uint8Array.from(bytes));
        for (const { table: name, id: key, value: record } of state.records())
          loaded.load(name, key, record);
        for (const one of [state, loaded]) one.apply(after);
        assert.equal(toHex(loaded.hash()), toHex(state.hash()));
      }),
    );
  });
});

describe('an overlay', () => {
  it('reads as the state will once its changes are applied, and leaves it as it is', () => {
    fc.assert(
      fc.property(changes, fc.array(changes, { maxLength: 3 }), (before, later) => {
        const state = new State();
        state.apply(before);
        const expected = new State();
        expected.apply(before);
        const untouched = contents(state);
        const overlay = new Overlay(state);
        for (const batch of later) {
          overlay.apply(batch);
          expected.apply(batch);
          for (const name of ['account', 'head', 'epoch', 'none'])
            for (const key of ['a', 'b', 'c', 'd', 'e'])
              assert.deepEqual(overlay.get(name, key), expected.get(name, key));
          assert.deepEqual(contents(overlay), contents(expected));
        }
        assert.deepEqual(contents(state), untouched);
        const net = overlay.changes();
        assert.equal(new Set(net.map((one) => `${one.table}!${one.id}`)).size, net.length);
        state.apply(net);
        assert.equal(toHex(state.hash()), toHex(expected.hash()));
      }),
    );
  });
});

describe('records that belong to something', () => {
  const ids = fc.constantFrom('x:a', 'x:b', 'y:a', 'y:b', 'x', 'xy:a');
  const members = fc.array(
    fc.record({
      table: fc.constant('member'),
      id: ids,
      value: fc.constantFrom(true, undefined),
    }),
    { maxLength: 8 },
  );
  const devices = fc.array(
    fc.record({
      table: fc.constant('device'),
      id: fc.constantFrom('d', 'e', 'f'),
      value: fc.oneof(fc.constant(undefined), fc.record({ account: fc.constantFrom('x', 'y') })),
    }),
    { maxLength: 8 },
  );
  const found = (reader: Reader, table: string, owner: string): string[] =>
    [...reader.of(table, owner)].map(([id, value]) => `${id} ${JSON.stringify(value)}`).sort();
  const scanned = (reader: Reader, table: string, owner: string): string[] =>
    [...reader.entries<{ account?: string }>(table)]
      .filter(([id, value]) => (table === 'device' ? value.account : id.split(':')[0]) === owner)
      .map(([id, value]) => `${id} ${JSON.stringify(value)}`)
      .sort();
  const same = (reader: Reader): void => {
    for (const table of ['member', 'device'])
      for (const owner of ['x', 'y', 'xy', 'z'])
        assert.deepEqual(found(reader, table, owner), scanned(reader, table, owner));
  };

  it('are found without those of others, whatever has changed since', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(members, devices), { maxLength: 4 }), (rounds) => {
        const state = new State();
        for (const changes of rounds.map((both) => both.flat())) {
          const overlay = new Overlay(state);
          overlay.apply(changes);
          same(overlay);
          state.apply(changes);
          same(state);
        }
      }),
    );
  });

  it('are not asked for where nothing does', () => {
    assert.throws(() => [...new State().of('head', 'x')], { code: 'INTERNAL' });
  });
});
