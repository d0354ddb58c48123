import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { toHex } from '../../lib/crdt/bytes.ts';
import { openMemoryStore } from '../../lib/crdt/store-memory.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { codeOf } from '../../lib/errors.ts';
import { openVault, VAULT_PREFIX, type Vault } from '../../lib/node/vault.ts';
import { temporary } from '../support/temporary.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const SYNC = { sync: true };
const namesOf = async (vault: Vault, beginning: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const name of vault.names(beginning)) names.push(name);
  return names.sort();
};
const schema = v.strictObject({ user: v.string(), secret: v.instance(Uint8Array) });

describe('vault', () => {
  const { newDirectory } = temporary();
  let directory: string;
  let store: Store;
  beforeEach(async () => {
    directory = await newDirectory();
    store = openMemoryStore();
  });
  const open = (passphrase?: string) => openVault({ store, directory, passphrase, random });
  const raw = async (): Promise<[string, Uint8Array][]> => {
    const pairs: [string, Uint8Array][] = [];
    for await (const [key, value] of store.entries(prefixed(VAULT_PREFIX)))
      pairs.push([key, value]);
    return pairs;
  };

  it('gives what was put, after reopening too', async () => {
    const vault = await open();
    const value = { user: 'zoë', secret: random(40) };
    assert.equal(vault.get('password zoë', schema), undefined);
    const put = vault.put('password zoë', value);
    assert.equal(vault.get('password zoë', schema), undefined, 'the caller writes it');
    await store.write([put, vault.put('other', 7)], SYNC);
    assert.deepEqual(vault.get('password zoë', schema), value);
    assert.deepEqual((await open()).get('password zoë', schema), value);
    await store.write([vault.delete('password zoë')], SYNC);
    assert.equal(vault.get('password zoë', schema), undefined);
    assert.equal(vault.get('other', v.number()), 7);
  });

  it('lists names', async () => {
    const vault = await open();
    await store.write(
      ['password a', 'password b', 'code 1'].map((name) => vault.put(name, null)),
      SYNC,
    );
    assert.deepEqual(await namesOf(vault, 'password '), ['password a', 'password b']);
    assert.equal((await namesOf(vault, '')).length, 3);
  });

  it('shows neither names nor values, and the same value never twice', async () => {
    const vault = await open();
    const secret = random(32);
    await store.write([vault.put('password alice', { user: 'alice', secret })], SYNC);
    const before = await raw();
    await store.write([vault.put('password alice', { user: 'alice', secret })], SYNC);
    const after = await raw();
    for (const [key, value] of [...before, ...after]) {
      assert.match(key, /^vault![0-9a-f]{64}$/);
      assert.equal(Buffer.from(value).includes('alice'), false);
      assert.equal(Buffer.from(value).includes(Buffer.from(secret)), false);
    }
    assert.deepEqual(
      before.map(([key]) => key),
      after.map(([key]) => key),
    );
    const other = await openVault({
      store: openMemoryStore(),
      directory: await newDirectory(),
      random,
    });
    assert.notEqual(other.put('password alice', null).key, vault.put('password alice', null).key);
  });

  it('refuses records that were swapped', async () => {
    const vault = await open();
    const operations = [vault.put('a', 1), vault.put('b', 2)];
    await store.write(operations, SYNC);
    const values = operations.map(({ key }) => store.get(key) ?? new Uint8Array());
    const [a, b] = operations.map(({ key }) => key) as [string, string];
    await store.write(
      [
        { type: 'put', key: a, value: values[1]! },
        { type: 'put', key: b, value: values[0]! },
      ],
      SYNC,
    );
    for (const name of ['a', 'b'])
      assert.throws(() => vault.get(name, v.number()), { code: 'DATA_CORRUPT' });
    await assert.rejects(namesOf(vault, ''), { code: 'DATA_CORRUPT' });
  });

  it('refuses records that were altered, whatever they now are', async () => {
    const vault = await open();
    const operation = vault.put('a', { user: 'x', secret: random(8) });
    await store.write([operation], SYNC);
    const whole = store.get(operation.key) ?? new Uint8Array();
    const refuses = async (value: Uint8Array): Promise<void> => {
      await store.write([{ type: 'put', key: operation.key, value }], SYNC);
      assert.throws(() => vault.get('a', schema), { code: 'DATA_CORRUPT' });
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const altered = Uint8Array.from(whole);
          altered[at] = (altered[at] ?? 0) ^ change;
          await refuses(altered);
        },
      ),
      { numRuns: 50 },
    );
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), refuses), { numRuns: 200 });
  });

  it('refuses what does not fit the schema', async () => {
    const vault = await open();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await store.write([vault.put('a', value)], SYNC);
        let read: unknown;
        try {
          read = vault.get('a', schema);
        } catch (error) {
          assert.equal(codeOf(error), 'DATA_CORRUPT');
          return;
        }
        assert.fail(`read ${JSON.stringify(read)}`);
      }),
      { numRuns: 100 },
    );
  });

  describe('key', () => {
    const badKey = { code: 'BAD_PASSPHRASE', message: /vault\.key/ };

    it('is sealed in a file of its own, for the owner alone', async () => {
      const vault = await open();
      const path = join(directory, 'vault.key');
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      const file = await readFile(path);
      assert.equal(file.includes(Buffer.from(vault.key)), false);
      assert.equal(file.includes(toHex(vault.key)), false);
      assert.deepEqual((await open()).key, vault.key);
    });

    it('is not made anew while there are records under the old one', async () => {
      const vault = await open();
      await store.write([vault.put('a', 1)], SYNC);
      await rm(join(directory, 'vault.key'));
      await assert.rejects(open(), badKey);
      await assert.rejects(open(), badKey);
      await assert.rejects(stat(join(directory, 'vault.key')), { code: 'ENOENT' });
    });

    it('of another server is refused', async () => {
      await open();
      const elsewhere = await newDirectory();
      await openVault({ store: openMemoryStore(), directory: elsewhere, random });
      for (const name of ['key', 'vault.key'])
        await copyFile(join(elsewhere, name), join(directory, name));
      await assert.rejects(open(), badKey);
    });

    it('opens under its passphrase alone', async () => {
      const vault = await open('sesame');
      await store.write([vault.put('a', 1)], SYNC);
      assert.equal((await open('sesame')).get('a', v.number()), 1);
      await assert.rejects(open('other'), { code: 'BAD_PASSPHRASE' });
      await assert.rejects(open(), { code: 'BAD_PASSPHRASE' });
    });
  });
});
