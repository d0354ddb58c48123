/**
 * The whole server peer in one file under a passphrase: its identity, the key of its vault, its
 * admin's device if it has one here, its store, and the files of messages. Moves it to another machine.
 */
import { open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { concat, toHex } from '../crdt/bytes.ts';
import { encode, parse } from '../crdt/codec.ts';
import { makeDirectory, syncDirectory } from '../crdt/directories.ts';
import type { RandomBytes } from '../crdt/keys.ts';
import { bytes, bytesUpTo, count } from '../crdt/records.ts';
import { isKey } from '../crdt/store-keys.ts';
import type { Store, StoreOperation } from '../crdt/store.ts';
import { ClchatError, hasCode, translate } from '../errors.ts';
import { systemClock, type Clock } from '../lifecycle.ts';
import { CHUNK_SIZE, Manifest, MAX_MANIFEST, type BlobHash } from './blobs/manifest.ts';
import { BLOBS, BlobStore, type BlobStoreOptions } from './blobs/store.ts';
import { replaceFile } from './files.ts';
import {
  encodeKeystore,
  IDENTITY_FILE,
  KEYSTORE_FILE,
  parseKeystore,
  type KeystoreRecord,
} from './keystore.ts';
import { openProfile } from './profile.ts';
import { SealedFile, type SealOptions } from './sealed-file.ts';
import { openSealedStream, SealedWriter } from './sealed-stream.ts';
import { VAULT_KEY_FILE } from './vault.ts';

const MAGIC = 'clchat backup 1\n';
/** Largest record: a key with its value, in bytes. */
const MAX_RECORD = 16 << 20;
/** Bytes of records that are written to a store at a time. */
const BATCH_BYTES = 1 << 20;

export interface BackupProgress {
  /** Pairs of the store so far. */
  readonly entries: number;
  /** Bytes of content so far. */
  readonly bytes: number;
}

interface Options {
  /** The backup. */
  readonly file: string;
  /** What the backup is sealed under. */
  readonly backupPassphrase: string;
  /** The server's directory. */
  readonly directory: string;
  /** What the secrets in that directory are sealed under; the key file where absent. */
  readonly passphrase?: string | undefined;
  readonly random: RandomBytes;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const secretsSchema = v.strictObject({
  identity: bytes(32),
  vault: bytes(32),
  /** Of the admin's device; null where there is none. */
  keystore: v.nullable(bytesUpTo(MAX_RECORD)),
});

/**
 * The content is a sequence of records: one of secrets, the pairs of the store, the blobs, each with
 * the chunks that follow it, and one that ends it.
 */
const record = v.variant('type', [
  v.strictObject({ type: v.literal('secrets'), secrets: secretsSchema }),
  v.strictObject({
    type: v.literal('entry'),
    key: v.pipe(v.string(), v.check(isKey)),
    value: bytesUpTo(MAX_RECORD),
  }),
  v.strictObject({ type: v.literal('blob'), manifest: bytesUpTo(MAX_MANIFEST) }),
  v.strictObject({ type: v.literal('chunk'), index: count, chunk: bytesUpTo(CHUNK_SIZE) }),
  v.strictObject({ type: v.literal('end'), entries: v.number() }),
]);
type BackupRecord = v.InferOutput<typeof record>;

/**
 * Writes the server as it is at this moment; it may go on working meanwhile. A file of that name is
 * replaced, once the new one is whole.
 * @param options.keystore of the admin's device, which lives in a directory of its own
 * @param options.cost of scrypt, lower in tests
 * @throws NO_SUCH_FILE when the directory is no server's, DISK_FULL, DATA_READ_ONLY, DATA_CORRUPT,
 *   BAD_PASSPHRASE when the directory's secrets do not open; AbortError
 */
export async function backup(
  options: Options & {
    store: Store;
    blobs?: BlobStore | undefined;
    keystore?: KeystoreRecord | undefined;
    cost?: number;
  },
): Promise<BackupProgress> {
  const { store, file: path, backupPassphrase, random, signal, cost } = options;
  const secrets = await readSecrets(options, options.keystore);
  const { file, finish } = await replaceFile(path);
  try {
    const writer = await SealedWriter.create(file, MAGIC, backupPassphrase, random, cost);
    const progress = { entries: 0, bytes: 0 };
    const write = async (one: BackupRecord): Promise<void> => {
      const body = encode(one);
      if (body.length > MAX_RECORD) throw new ClchatError('TOO_LARGE', 'a record is too large');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      await writer.write(concat(length, body));
      progress.bytes += body.length;
    };
    await write({ type: 'secrets', secrets });
    for await (const [key, value] of store.entries({ from: '', until: '\u007f' })) {
      signal?.throwIfAborted();
      await write({ type: 'entry', key, value });
      progress.entries += 1;
      if (progress.entries % 1_000 === 0) options.onProgress?.({ ...progress });
    }
    for await (const one of blobRecords(options.blobs)) {
      signal?.throwIfAborted();
      await write(one);
      if (one.type === 'blob') options.onProgress?.({ ...progress });
    }
    await write({ type: 'end', entries: progress.entries });
    await writer.finish();
    options.onProgress?.({ ...progress });
    await finish(true);
    return progress;
  } catch (error) {
    await finish(false).catch(() => undefined);
    throw translate(error);
  }
}

/** All that is whole of the blobs. One that is removed meanwhile, or that the disk has spoilt, has gaps. */
async function* blobRecords(blobs: BlobStore | undefined): AsyncGenerator<BackupRecord> {
  for (const { hash, isComplete } of blobs?.list() ?? []) {
    const manifest = isComplete ? await blobs?.manifest(hash) : undefined;
    if (manifest === undefined) continue;
    yield { type: 'blob', manifest: Uint8Array.from(manifest.bytes) };
    for (let index = 0; index < manifest.count; index++) {
      const chunk = await blobs?.chunk(hash, index).catch((error: unknown) => {
        if (!hasCode(error, 'DATA_CORRUPT')) throw error;
        return undefined;
      });
      if (chunk !== undefined) yield { type: 'chunk', index, chunk: Uint8Array.from(chunk) };
    }
  }
}

async function readSecrets(
  options: SealOptions,
  admin: KeystoreRecord | undefined,
): Promise<v.InferOutput<typeof secretsSchema>> {
  const read = async (name: string): Promise<Uint8Array | undefined> =>
    (await SealedFile.open(name, options)).content;
  const [identity, vault] = [await read(IDENTITY_FILE), await read(VAULT_KEY_FILE)];
  if (identity === undefined || vault === undefined)
    throw new ClchatError('NO_SUCH_FILE', `${options.directory} holds no server.`);
  // One that an earlier backup brought may wait there for its user still.
  const keystore = admin === undefined ? await read(KEYSTORE_FILE) : encodeKeystore(admin);
  return { identity, vault, keystore: keystore ?? null };
}

/**
 * Makes a server's directory of a backup: whole, or not at all.
 * @param options.directory must be empty or not be there
 * @param options.marks what the store is to hold besides, from the moment the directory is there
 * @param options.clock by which the files of messages are as old as the restoring
 * @throws ALREADY when the directory is not empty, NO_SUCH_FILE, BAD_PASSPHRASE, DATA_CORRUPT when
 *   the backup is damaged, DISK_FULL, DATA_READ_ONLY; AbortError
 */
export async function restore(
  options: Options & { marks?: readonly StoreOperation[]; clock?: Clock },
): Promise<BackupProgress> {
  const { random } = options;
  const directory = resolve(options.directory);
  await checkEmpty(directory);
  const made = `${directory}.restoring-${toHex(random(6))}`;
  try {
    const file = await open(options.file, 'r').catch((error: unknown) => {
      throw new ClchatError('NO_SUCH_FILE', `${options.file} cannot be read.`, { cause: error });
    });
    try {
      const content = await openSealedStream(file, MAGIC, options.backupPassphrase);
      await makeDirectory(dirname(directory));
      const progress = await restoreInto(made, content, options);
      await checkEmpty(directory);
      await rmdir(directory).catch(() => undefined);
      await rename(made, directory);
      await syncDirectory(dirname(directory));
      return progress;
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(made, { recursive: true, force: true }).catch(() => undefined);
    throw translate(error);
  }
}

async function checkEmpty(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new ClchatError('NO_SUCH_FILE', `${directory} is not a directory that can be read.`);
  }
  if (names.length > 0)
    throw new ClchatError('ALREADY', `${directory} is not empty. Restore into a new directory.`);
}

async function restoreInto(
  directory: string,
  content: AsyncIterable<Uint8Array>,
  options: Parameters<typeof restore>[0],
): Promise<BackupProgress> {
  const { random, passphrase, signal, marks = [], clock = systemClock } = options;
  const profile = await openProfile(directory, 'server');
  const { store } = profile;
  const blobs = new BlobRestorer({ directory: join(directory, BLOBS), clock, random });
  try {
    const progress = { entries: 0, bytes: 0 };
    let batch: StoreOperation[] = [];
    let batched = 0;
    let stage: 'secrets' | 'entries' | 'blobs' | 'ended' = 'secrets';
    for await (const { value: one, size } of records(content)) {
      signal?.throwIfAborted();
      progress.bytes += size;
      if (stage === 'secrets' && one.type === 'secrets') {
        await writeSecrets({ directory, passphrase, random }, one.secrets);
        stage = 'entries';
      } else if (stage === 'entries' && one.type === 'entry') {
        batch.push({ type: 'put', key: one.key, value: one.value });
        batched += size;
        progress.entries += 1;
        if (batched < BATCH_BYTES) continue;
        await store.write(batch, { sync: false });
        batch = [];
        batched = 0;
        options.onProgress?.({ ...progress });
      } else if (stage !== 'secrets' && stage !== 'ended' && one.type === 'blob') {
        stage = 'blobs';
        await blobs.begin(one.manifest);
        options.onProgress?.({ ...progress });
      } else if (stage === 'blobs' && one.type === 'chunk') await blobs.put(one.index, one.chunk);
      else if (stage !== 'secrets' && stage !== 'ended' && one.type === 'end') {
        if (one.entries !== progress.entries) throw damaged();
        stage = 'ended';
      } else throw damaged();
    }
    if (stage !== 'ended') throw damaged();
    await blobs.end();
    await store.write([...batch, ...marks], { sync: true });
    options.onProgress?.({ ...progress });
    return progress;
  } finally {
    await blobs.close();
    await profile.close();
  }
}

/** Puts blobs into a directory as their chunks come. */
class BlobRestorer {
  readonly #options: BlobStoreOptions;
  #store: BlobStore | undefined;
  #hash: BlobHash | undefined;

  constructor(options: BlobStoreOptions) {
    this.#options = options;
  }

  /** @throws DATA_CORRUPT, DISK_FULL, DATA_READ_ONLY */
  async begin(bytes: Uint8Array): Promise<void> {
    await this.end();
    this.#store ??= await BlobStore.open(this.#options);
    const manifest = undamaged(() => Manifest.read(Uint8Array.from(bytes)));
    await this.#store.begin(manifest);
    this.#hash = manifest.hash;
  }

  /** @throws DATA_CORRUPT, DISK_FULL, DATA_READ_ONLY */
  async put(index: number, chunk: Uint8Array): Promise<void> {
    try {
      await this.#store!.put(this.#hash!, index, chunk);
    } catch (error) {
      throw hasCode(error, 'BAD_MESSAGE') ? damaged(error) : error;
    }
  }

  /** Nothing more comes of the last one. */
  async end(): Promise<void> {
    if (this.#hash !== undefined) await this.#store?.release(this.#hash);
    this.#hash = undefined;
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }
}

async function writeSecrets(
  options: SealOptions,
  secrets: v.InferOutput<typeof secretsSchema>,
): Promise<void> {
  const write = async (name: string, secret: Uint8Array): Promise<void> =>
    (await SealedFile.open(name, options)).write(secret);
  await write(IDENTITY_FILE, secrets.identity);
  await write(VAULT_KEY_FILE, secrets.vault);
  if (secrets.keystore !== null) await write(KEYSTORE_FILE, secrets.keystore);
}

/** The records of the content, which may be cut anywhere. @throws DATA_CORRUPT */
async function* records(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ value: BackupRecord; size: number }> {
  let parts: Uint8Array[] = [];
  let available = 0;
  let needed = 4;
  for await (const part of content) {
    parts.push(part);
    available += part.length;
    if (available < needed) continue;
    const all = Buffer.from(concat(...parts));
    let at = 0;
    for (;;) {
      needed = 4;
      if (all.length - at < needed) break;
      const size = all.readUInt32BE(at);
      if (size > MAX_RECORD) throw damaged();
      needed = 4 + size;
      if (all.length - at < needed) break;
      yield { value: parseRecord(all.subarray(at + 4, at + needed)), size };
      at += needed;
    }
    parts = [all.subarray(at)];
    available = all.length - at;
  }
  if (available > 0) throw damaged();
}

function parseRecord(body: Uint8Array): BackupRecord {
  return undamaged(() => {
    const parsed = parse(record, body, { maxBytes: MAX_RECORD });
    if (parsed.type === 'secrets' && parsed.secrets.keystore !== null)
      parseKeystore(parsed.secrets.keystore);
    return parsed;
  });
}

/** What is read of the content. @throws DATA_CORRUPT where it is not what it should be */
function undamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(cause?: unknown): ClchatError {
  return new ClchatError('DATA_CORRUPT', 'The backup is damaged.', { cause });
}
