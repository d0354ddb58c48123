/**
 * A file of any length sealed under a passphrase: a header, then chunks of AES-256-GCM whose nonces
 * say which chunk it is and whether it is the last. Chunks altered, left out, moved or cut off do
 * not open.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import * as v from 'valibot';
import { concat, equal, sha256, utf8 } from '../crdt/bytes.ts';
import { encode, parse } from '../crdt/codec.ts';
import type { RandomBytes } from '../crdt/keys.ts';
import { bytes } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import { scrypt, scryptOf, scryptParameters } from './scrypt.ts';

/** Cost of scrypt: 64 MiB, some 200 ms. */
export const STREAM_COST = 1 << 16;
/** Bytes of a chunk, all but the last. */
const CHUNK = 64 * 1024;
const TAG = 16;
const MAX_HEADER = 1_024;

const header = v.strictObject({
  passphrase: scryptParameters,
  /** What the right key gives, to tell a wrong passphrase from damage. */
  check: bytes(32),
});

interface Keys {
  readonly check: Uint8Array;
  readonly chunks: Uint8Array;
}

async function deriveKeys(
  passphrase: string,
  parameters: v.InferOutput<typeof scryptParameters>,
): Promise<Keys> {
  const key = await scrypt(passphrase, parameters);
  const derive = (purpose: string): Uint8Array =>
    createHmac('sha256', key).update(`clchat sealed stream v1 ${purpose}`).digest();
  return { check: derive('check'), chunks: derive('chunks') };
}

function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(Math.floor(index / 2 ** 32), 0);
  nonce.writeUInt32BE(index % 2 ** 32, 4);
  nonce.writeUInt8(last ? 1 : 0, 8);
  return nonce;
}

/** Writes a sealed file from its beginning. */
export class SealedWriter {
  readonly #file: FileHandle;
  readonly #key: Uint8Array;
  readonly #associated: Uint8Array;
  #pending: Uint8Array[] = [];
  #size = 0;
  #index = 0;

  private constructor(file: FileHandle, key: Uint8Array, associated: Uint8Array) {
    this.#file = file;
    this.#key = key;
    this.#associated = associated;
  }

  /**
   * @param magic what the file begins with in the clear: a line that says what it is
   * @param cost of scrypt: see there
   */
  static async create(
    file: FileHandle,
    magic: string,
    passphrase: string,
    random: RandomBytes,
    cost: number = STREAM_COST,
  ): Promise<SealedWriter> {
    const parameters = scryptOf(cost, Uint8Array.from(random(16)));
    const keys = await deriveKeys(passphrase, parameters);
    const body = encode({ passphrase: parameters, check: keys.check });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    const head = concat(utf8(magic), length, body);
    const sum = sha256(head);
    await file.writeFile(concat(head, sum));
    return new SealedWriter(file, keys.chunks, sum);
  }

  async write(content: Uint8Array): Promise<void> {
    this.#pending.push(content);
    this.#size += content.length;
    // The last chunk is known for it only at the end, so as much as one is held back.
    if (this.#size <= CHUNK) return;
    const all = concat(...this.#pending);
    let at = 0;
    for (; all.length - at > CHUNK; at += CHUNK)
      await this.#chunk(all.subarray(at, at + CHUNK), false);
    this.#pending = [all.subarray(at)];
    this.#size = all.length - at;
  }

  async finish(): Promise<void> {
    await this.#chunk(concat(...this.#pending), true);
  }

  async #chunk(content: Uint8Array, last: boolean): Promise<void> {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#index, last), {
      authTagLength: TAG,
    });
    cipher.setAAD(this.#associated);
    this.#index += 1;
    const sealed = [cipher.update(content), cipher.final()];
    await this.#file.writeFile(concat(...sealed, cipher.getAuthTag()));
  }
}

/**
 * Opens a sealed file; its content then comes in portions, each only once it is proved, the file as
 * a whole only when the last has come.
 * @throws BAD_PASSPHRASE; DATA_CORRUPT when it is no such file, or damaged
 */
export async function openSealedStream(
  file: FileHandle,
  magic: string,
  passphrase: string,
): Promise<AsyncGenerator<Uint8Array>> {
  const start = await read(file, magic.length + 2);
  const length =
    start.length === magic.length + 2 ? Buffer.from(start).readUInt16BE(magic.length) : 0;
  if (!equal(start.subarray(0, magic.length), utf8(magic)) || length === 0 || length > MAX_HEADER)
    throw new ClchatError('DATA_CORRUPT', 'That is no such file, or its beginning is damaged.');
  const body = await read(file, length);
  const sum = sha256(start, body);
  if (!equal(await read(file, 32), sum)) throw damaged();
  const { passphrase: parameters, check } = parseHeader(body);
  const keys = await deriveKeys(passphrase, parameters);
  if (!equal(keys.check, check)) throw new ClchatError('BAD_PASSPHRASE', 'Wrong passphrase.');
  return chunks(file, keys.chunks, sum);
}

function parseHeader(body: Uint8Array): v.InferOutput<typeof header> {
  try {
    return parse(header, body);
  } catch (error) {
    throw damaged(error);
  }
}

async function* chunks(
  file: FileHandle,
  key: Uint8Array,
  associated: Uint8Array,
): AsyncGenerator<Uint8Array> {
  let next = await read(file, CHUNK + TAG);
  for (let index = 0; ; index += 1) {
    const sealed = next;
    next = sealed.length < CHUNK + TAG ? new Uint8Array() : await read(file, CHUNK + TAG);
    const last = next.length === 0;
    if (sealed.length < TAG) throw damaged();
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, last), {
      authTagLength: TAG,
    });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(-TAG));
    const content = decipher.update(sealed.subarray(0, -TAG));
    try {
      decipher.final();
    } catch (error) {
      throw damaged(error);
    }
    yield content;
    if (last) return;
  }
}

/** As many bytes as there are, up to `length`. */
async function read(file: FileHandle, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function damaged(cause?: unknown): ClchatError {
  return new ClchatError('DATA_CORRUPT', 'The file is damaged or incomplete.', { cause });
}
