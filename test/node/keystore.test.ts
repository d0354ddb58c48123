import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { encode } from '../../lib/crdt/codec.ts';
import type { AccountId, PublicKey } from '../../lib/crdt/keys.ts';
import { codeOf } from '../../lib/errors.ts';
import {
  makeVerifier,
  matchesPassword,
  openIdentity,
  openKeystore,
  parseKeystore,
  type KeystoreRecord,
} from '../../lib/node/keystore.ts';
import { temporary } from '../support/temporary.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

describe('keystore', () => {
  const { newDirectory, newDisk } = temporary();
  let directory: string;
  beforeEach(async () => (directory = await newDirectory()));
  const open = (passphrase?: string) => openKeystore({ directory, passphrase, random });
  const fill = async (record: KeystoreRecord): Promise<KeystoreRecord> => ({
    ...record,
    account: {
      id: 'a'.repeat(32) as AccountId,
      name: 'zoë',
      passwordVersion: 3,
      verifier: await makeVerifier('correct horse', random),
    },
    keyring: [
      { generation: 0, secret: random(32) },
      { generation: 1, secret: random(32) },
    ],
    server: { key: 'b'.repeat(64) as PublicKey, name: 'acme' },
  });

  it('makes the keys of a new device, once', async () => {
    const record = (await open()).read();
    assert.equal(record.device.seed.length, 32);
    assert.notDeepEqual(record.device.seed, record.device.sealing);
    assert.deepEqual(record.keyring, []);
    assert.deepEqual((await open()).read(), record);
    for (const name of ['key', 'keystore'])
      assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600);
  });

  it('takes its secrets from the randomness handed in', async () => {
    let next = 0;
    const counting = (length: number): Uint8Array => new Uint8Array(length).fill((next += 1));
    const keystore = await openKeystore({ directory, random: counting });
    assert.deepEqual(keystore.read().device.seed, new Uint8Array(32).fill(1));
  });

  it('saves updates, one after another', async () => {
    const keystore = await open();
    const full = await fill(keystore.read());
    await keystore.update(() => full);
    assert.deepEqual(keystore.read(), full);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        keystore.update((record) => ({
          ...record,
          keyring: [...record.keyring, { generation: i + 2, secret: random(32) }],
        })),
      ),
    );
    assert.equal(keystore.read().keyring.length, 22);
    assert.deepEqual((await open()).read(), keystore.read());
  });

  it('removes what an update sets to undefined', async () => {
    const keystore = await open();
    const full = await fill(keystore.read());
    await keystore.update(() => full);
    const { device } = await keystore.update((record) => ({
      ...record,
      account: undefined,
      server: undefined,
    }));
    assert.deepEqual((await open()).read(), { version: 1, device, keyring: full.keyring });
  });

  it('changes nothing when an update fails', async () => {
    const keystore = await open();
    const before = keystore.read();
    const fails = (change: (record: KeystoreRecord) => unknown): Promise<unknown> =>
      keystore.update(change as (record: KeystoreRecord) => KeystoreRecord);
    await assert.rejects(
      fails(() => {
        throw new RangeError('no');
      }),
      RangeError,
    );
    for (const wrong of [
      {},
      { ...before, more: 1 },
      { ...before, device: { ...before.device, seed: random(31) } },
      { ...before, server: { key: 'nonsense', name: 'x' } },
      { ...before, keyring: [{ generation: -1, secret: random(32) }] },
    ])
      await assert.rejects(
        fails(() => wrong),
        { code: 'INTERNAL' },
      );
    assert.deepEqual(keystore.read(), before);
    assert.deepEqual((await open()).read(), before);
    await keystore.update((record) => record);
  });

  it('keeps its record when the disk is full', async function () {
    const disk = await newDisk(this, 64);
    const keystore = await openKeystore({ directory: disk.directory, random });
    const before = keystore.read();
    await writeFile(join(disk.directory, 'filler'), new Uint8Array(60_000)).catch(() => undefined);
    await writeFile(join(disk.directory, 'more'), new Uint8Array(8_000)).catch(() => undefined);
    await assert.rejects(
      keystore.update((record) => ({
        ...record,
        keyring: Array.from({ length: 100 }, (_, generation) => ({
          generation,
          secret: random(32),
        })),
      })),
      { code: 'DISK_FULL' },
    );
    assert.deepEqual(keystore.read(), before);
    const again = await openKeystore({ directory: disk.directory, random });
    assert.deepEqual(again.read(), before);
  });

  it('shows nothing of the secrets in its files', async () => {
    const { device } = (await open()).read();
    const bytes = await readFile(join(directory, 'keystore'));
    assert.equal(bytes.includes(Buffer.from(device.seed)), false);
    assert.equal(bytes.includes('seed'), false);
  });

  describe('under a key file', () => {
    it('does not open without it, with another, or when others may read it', async () => {
      await open();
      const key = join(directory, 'key');
      await chmod(key, 0o640);
      await assert.rejects(open(), { code: 'KEY_EXPOSED', message: /chmod 600/ });
      await chmod(key, 0o600);
      await writeFile(key, `${'0'.repeat(64)}\n`);
      await assert.rejects(open(), { code: 'BAD_PASSPHRASE' });
      await writeFile(key, 'nonsense');
      await assert.rejects(open(), { code: 'DATA_CORRUPT' });
      await rm(key);
      await assert.rejects(open(), { code: 'BAD_PASSPHRASE', message: /key file/ });
      // And it did not make a new one, which would look as if all were well.
      await assert.rejects(stat(key), { code: 'ENOENT' });
    });

    it('is sealed anew under a passphrase, once one is given', async () => {
      const { device } = (await open()).read();
      assert.deepEqual((await open('sesame')).read().device, device);
      await assert.rejects(open(), { code: 'BAD_PASSPHRASE', message: /passphrase/ });
      await rm(join(directory, 'key'));
      assert.deepEqual((await open('sesame')).read().device, device);
    });
  });

  describe('under a passphrase', () => {
    it('opens with it alone, and leaves no key file', async () => {
      const keystore = await open('sésame');
      await keystore.update((record) => ({
        ...record,
        server: { key: 'c'.repeat(64) as PublicKey, name: 'acme' },
      }));
      await assert.rejects(stat(join(directory, 'key')), { code: 'ENOENT' });
      assert.deepEqual((await open('sésame'.normalize('NFD'))).read(), keystore.read());
      for (const wrong of ['sesame', '', undefined])
        await assert.rejects(open(wrong), { code: 'BAD_PASSPHRASE' });
    });
  });

  describe('damage', () => {
    it('is told from a wrong key, wherever it is', async () => {
      await open();
      const path = join(directory, 'keystore');
      const whole = Uint8Array.from(await readFile(path));
      await fc.assert(
        fc.asyncProperty(
          fc.nat(whole.length - 1),
          fc.integer({ min: 1, max: 255 }),
          async (at, change) => {
            const altered = Uint8Array.from(whole);
            altered[at] = (altered[at] ?? 0) ^ change;
            await writeFile(path, altered);
            await assert.rejects(open(), { code: 'DATA_CORRUPT' });
          },
        ),
        { numRuns: 60 },
      );
      for (const bytes of [whole.subarray(0, 40), whole.subarray(1), new Uint8Array()]) {
        await writeFile(path, bytes);
        await assert.rejects(open(), { code: 'DATA_CORRUPT' });
      }
      await writeFile(path, new Uint8Array(1 << 20));
      await assert.rejects(open(), { code: 'TOO_LARGE' });
    });

    it('never comes out of any bytes but as an error', async () => {
      const path = join(directory, 'keystore');
      await open();
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          await writeFile(path, bytes);
          await assert.rejects(open(), { code: 'DATA_CORRUPT' });
        }),
        { numRuns: 60 },
      );
      const good = (await openKeystore({ directory: await newDirectory(), random })).read();
      fc.assert(
        fc.property(
          fc.oneof(
            fc.anything(),
            fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.anything()),
          ),
          (value) => {
            let bytes: Uint8Array;
            try {
              bytes = encode(value);
            } catch {
              return;
            }
            try {
              parseKeystore(bytes);
              assert.fail('that is no record');
            } catch (error) {
              assert.equal(codeOf(error), 'DATA_CORRUPT');
            }
          },
        ),
        { numRuns: 300 },
      );
    });

    it('is seen when one sealed file stands in for another', async () => {
      await openIdentity({ directory, random });
      await copyFile(join(directory, 'identity'), join(directory, 'keystore'));
      await assert.rejects(open(), { code: 'DATA_CORRUPT' });
    });
  });

  describe('password', () => {
    it('matches itself alone', async () => {
      const record = await fill((await open()).read());
      assert.equal(await matchesPassword(record, 'correct horse'), true);
      for (const wrong of ['correct  horse', 'Correct horse', ''])
        assert.equal(await matchesPassword(record, wrong), false);
    });

    it('matches nothing where none is known', async () => {
      const keystore = await open();
      assert.equal(await matchesPassword(keystore.read(), ''), false);
    });

    it('has a verifier that differs each time', async () => {
      const [one, other] = await Promise.all([
        makeVerifier('x', random),
        makeVerifier('x', random),
      ]);
      assert.notDeepEqual(one, other);
    });
  });

  describe('identity', () => {
    it('is made once and stays', async () => {
      const key = await openIdentity({ directory, random });
      assert.equal((await openIdentity({ directory, random })).public, key.public);
      assert.equal((await stat(join(directory, 'identity'))).mode & 0o777, 0o600);
      const other = await openIdentity({ directory: await newDirectory(), random });
      assert.notEqual(other.public, key.public);
    });

    it('is sealed under a passphrase as well', async () => {
      const key = await openIdentity({ directory, passphrase: 'sesame', random });
      assert.equal(
        (await openIdentity({ directory, passphrase: 'sesame', random })).public,
        key.public,
      );
      await assert.rejects(openIdentity({ directory, random }), { code: 'BAD_PASSPHRASE' });
    });
  });
});
