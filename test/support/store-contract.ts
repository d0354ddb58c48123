/** What every store must do. Run against each implementation. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../lib/crdt/bytes.ts';
import { prefixed, type Range, type Store, type StoreOperation } from '../../lib/crdt/store.ts';

export interface StoreHarness {
  /** Opens the store; after a close, the same one again. */
  open(): Promise<Store>;
  /** Called once, after every test. */
  discard(): Promise<void>;
}

export const put = (key: string, value: string | Uint8Array): StoreOperation => ({
  type: 'put',
  key,
  value: typeof value === 'string' ? utf8(value) : value,
});
export const remove = (key: string): StoreOperation => ({ type: 'delete', key });

export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

export async function collect(store: Store, range: Range): Promise<[string, string][]> {
  const pairs: [string, string][] = [];
  for await (const [key, value] of store.entries(range)) pairs.push([key, text(value) ?? '']);
  return pairs;
}

export const ALL = { from: '', until: '\u007f' };
const SYNC = { sync: true };
const LAZY = { sync: false };

export function describeStore(makeHarness: () => Promise<StoreHarness>): void {
  let harness: StoreHarness;
  let store: Store;

  beforeEach(async () => {
    harness = await makeHarness();
    store = await harness.open();
  });
  afterEach(async () => {
    await store.close();
    await harness.discard();
  });

  it('reads what was written, and undefined where nothing was', async () => {
    assert.equal(store.get('a'), undefined);
    await store.write([put('a', 'one'), put('b', '')], SYNC);
    assert.deepEqual(store.get('a'), utf8('one'));
    assert.deepEqual(store.get('b'), new Uint8Array());
    await store.write([put('a', 'two'), remove('b'), remove('never there')], LAZY);
    assert.equal(text(store.get('a')), 'two');
    assert.equal(store.get('b'), undefined);
  });

  it('applies a batch in its order', async () => {
    await store.write([put('a', '1'), put('a', '2'), put('b', '1'), remove('b')], SYNC);
    assert.deepEqual(await collect(store, ALL), [['a', '2']]);
  });

  it('keeps its own copies', async () => {
    const value = utf8('mine');
    const written = store.write([put('a', value)], SYNC);
    value.fill(0);
    await written;
    const read = store.get('a');
    assert.equal(text(read), 'mine');
    read?.fill(0);
    assert.equal(text(store.get('a')), 'mine');
  });

  it('takes writes asked for at once in their order', async () => {
    const writes = Array.from({ length: 200 }, (_, i) =>
      store.write([put('last', String(i)), put(`n${i}`, '')], { sync: i % 3 === 0 }),
    );
    await Promise.all(writes);
    assert.equal(text(store.get('last')), '199');
    assert.equal((await collect(store, prefixed('n'))).length, 200);
  });

  it('stores a large value and a large batch', async () => {
    const large = new Uint8Array(5 << 20).map((_, i) => i % 251);
    const many = Array.from({ length: 5000 }, (_, i) => put(`many/${i}`, 'x'.repeat(100)));
    await Promise.all([store.write([put('large', large)], SYNC), store.write(many, LAZY)]);
    assert.deepEqual(store.get('large'), large);
    assert.equal((await collect(store, prefixed('many/'))).length, 5000);
  });

  it('takes an empty batch', async () => {
    await store.write([], LAZY);
    await store.write([], SYNC);
    assert.deepEqual(await collect(store, ALL), []);
  });

  it('refuses keys that would not sort alike everywhere', async () => {
    for (const key of ['', ' ', 'é', 'a\u0000', 'a\u007f', '\u{1f600}', 'x'.repeat(513)])
      await assert.rejects(store.write([put('good', ''), put(key, '')], SYNC), {
        code: 'INTERNAL',
      });
    assert.deepEqual(await collect(store, ALL), []);
  });

  describe('entries', () => {
    beforeEach(() =>
      store.write(
        ['a', 'a!1', 'a!2', 'a!3', 'b', 'B', '~'].map((key) => put(key, key)),
        LAZY,
      ),
    );
    const keys = async (range: Range): Promise<string[]> =>
      (await collect(store, range)).map(([key]) => key);

    it('goes through a range in order, its end not included', async () => {
      assert.deepEqual(await keys(ALL), ['B', 'a', 'a!1', 'a!2', 'a!3', 'b', '~']);
      assert.deepEqual(await keys({ from: 'a!1', until: 'a!3' }), ['a!1', 'a!2']);
      assert.deepEqual(await keys({ from: 'a!11', until: 'zz' }), ['a!2', 'a!3', 'b']);
      assert.deepEqual(await keys(prefixed('a!')), ['a!1', 'a!2', 'a!3']);
      assert.deepEqual(await keys({ from: 'b', until: 'a' }), []);
    });

    it('goes backwards and stops at a limit', async () => {
      assert.deepEqual(await keys({ ...prefixed('a'), reverse: true }), ['a!3', 'a!2', 'a!1', 'a']);
      assert.deepEqual(await keys({ ...prefixed('a'), reverse: true, limit: 2 }), ['a!3', 'a!2']);
      assert.deepEqual(await keys({ ...prefixed('a'), limit: 2 }), ['a', 'a!1']);
      assert.deepEqual(await keys({ ...ALL, limit: 0 }), []);
    });

    it('sees a snapshot as of the call', async () => {
      const entries = store.entries(prefixed('a!'));
      await store.write([put('a!1', 'new'), remove('a!2'), put('a!4', 'new')], SYNC);
      const seen: string[] = [];
      for await (const [, value] of entries) seen.push(text(value) ?? '');
      assert.deepEqual(seen, ['a!1', 'a!2', 'a!3']);
    });

    it('may be left early, and read again', async () => {
      for (let i = 0; i < 50; i += 1)
        for await (const [key] of store.entries(ALL)) {
          assert.equal(key, 'B');
          break;
        }
      assert.equal((await keys(ALL)).length, 7);
    });

    it('reads more than a portion', async () => {
      await store.write(
        Array.from({ length: 3000 }, (_, i) => put(`p/${String(i).padStart(5, '0')}`, `${i}`)),
        LAZY,
      );
      const pairs = await collect(store, prefixed('p/'));
      assert.deepEqual(
        pairs.map(([, value]) => Number(value)),
        Array.from({ length: 3000 }, (_, i) => i),
      );
    });
  });

  it('has everything after a close, and waits for writes before it', async () => {
    const written = store.write([put('a', 'kept')], LAZY);
    const closed = store.close();
    await Promise.all([written, closed]);
    store = await harness.open();
    assert.equal(text(store.get('a')), 'kept');
  });

  it('refuses everything once it is closed', async () => {
    await store.write([put('a', ''), put('b', '')], SYNC);
    const reading = store.entries(ALL)[Symbol.asyncIterator]();
    const unread = store.entries(ALL)[Symbol.asyncIterator]();
    await reading.next();
    await Promise.all([store.close(), store.close()]);
    const closed = { code: 'CLOSED' };
    assert.throws(() => store.get('a'), closed);
    assert.throws(() => store.entries(ALL), closed);
    await assert.rejects(store.write([put('a', '')], LAZY), closed);
    await assert.rejects(async () => store.purge(ALL), closed);
    await assert.rejects(unread.next(), closed);
  });

  it('is open once', async () => {
    await store.write([put('a', 'safe')], SYNC);
    await assert.rejects(async () => harness.open(), { code: 'DATA_IN_USE' });
    assert.equal(text(store.get('a')), 'safe');
    await store.write([put('b', '')], SYNC);
  });

  it('keeps what lives when it purges', async () => {
    for (let round = 0; round < 5; round += 1)
      await store.write(
        Array.from({ length: 50 }, (_, i) => put(`r${i % 10}/${i}`, `${round}`)),
        LAZY,
      );
    await store.write([remove('r3/3'), remove('r9/49')], SYNC);
    const before = await collect(store, ALL);
    const during = store.write([put('during', 'purge')], SYNC);
    await Promise.all([store.purge(prefixed('r3/')), store.purge(ALL), during]);
    assert.deepEqual(await collect(store, ALL), [['during', 'purge'], ...before]);
    await store.purge(prefixed('nothing/'));
  });

  it('behaves like a sorted map, whatever is done to it', async () => {
    const key = fc.constantFrom('a', 'a!', 'ab', 'b', 'b!1', 'b!2', 'c', '~');
    const operation = fc.oneof(
      fc.record({
        type: fc.constant('put' as const),
        key,
        value: fc.uint8Array({ maxLength: 20 }),
      }),
      fc.record({ type: fc.constant('delete' as const), key }),
    );
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(fc.array(operation, { maxLength: 5 }), fc.boolean()) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
      { weight: 1, arbitrary: fc.tuple(key, key) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const model = new Map<string, string>();
        await store.write(
          (await collect(store, ALL)).map(([old]) => remove(old)),
          LAZY,
        );
        for (const one of steps) {
          if (one === 'reopen') {
            await store.close();
            store = await harness.open();
          } else if (typeof one[0] === 'string') {
            await store.purge({ from: one[0], until: one[1] });
          } else {
            const [operations, sync] = one as [StoreOperation[], boolean];
            await store.write(operations, { sync });
            for (const { key: at, ...rest } of operations)
              if (rest.type === 'put') model.set(at, Buffer.from(rest.value).toString('hex'));
              else model.delete(at);
          }
          const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
          const actual: [string, string][] = [];
          for await (const [at, value] of store.entries(ALL))
            actual.push([at, Buffer.from(value).toString('hex')]);
          assert.deepEqual(actual, expected);
        }
      }),
      { numRuns: 40 },
    );
  });
}
