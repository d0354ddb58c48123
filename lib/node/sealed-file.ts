/**
 * Secrets at rest: a file sealed with tweetnacl's secretbox, under the key file of its directory or
 * under a passphrase.
 */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { concat, equal, fromHex, sha256, toHex, utf8 } from '../crdt/bytes.ts';
import { encode, parse } from '../crdt/codec.ts';
import { openWith, sealWith, type RandomBytes } from '../crdt/keys.ts';
import { bytesUpTo } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import { isExposed, readFileBounded, writeFileAtomic } from './files.ts';
import { scrypt, scryptOf, scryptParameters, type ScryptParameters } from './scrypt.ts';

/** Name of the key file: 32 bytes in hexadecimal. */
export const KEY_FILE = 'key';

const MAX_CONTENT = 128 * 1024;
const COST = 1 << 15;

export interface SealOptions {
  /** Where the files are. */
  readonly directory: string;
  /** What seals them; the key file, made at first use, where absent. */
  readonly passphrase?: string | undefined;
  readonly random: RandomBytes;
}

const envelope = v.strictObject({
  /** What the file is: its name. Bound into the seal, so that no file passes for another. */
  clchat: v.pipe(v.string(), v.maxLength(32)),
  version: v.literal(1),
  /** Null: under the key file. */
  passphrase: v.nullable(scryptParameters),
  box: bytesUpTo(MAX_CONTENT + 40),
});

interface Seal {
  readonly parameters: ScryptParameters | null;
  readonly key: Uint8Array;
}

/** One sealed file, read once and rewritten as a whole. */
export class SealedFile {
  readonly #name: string;
  readonly #options: SealOptions;
  #seal: Seal | undefined;
  #content: Uint8Array | undefined;

  private constructor(name: string, options: SealOptions) {
    this.#name = name;
    this.#options = options;
  }

  /**
   * Opens `name` in the directory. A file under the key file is sealed anew when a passphrase is
   * given.
   * @throws BAD_PASSPHRASE when what is given does not open it, KEY_EXPOSED when others may read the
   *   key file, DATA_CORRUPT, DATA_READ_ONLY, DISK_FULL
   */
  static async open(name: string, options: SealOptions): Promise<SealedFile> {
    const sealed = new SealedFile(name, options);
    await sealed.#read();
    return sealed;
  }

  /** Undefined until something was written. */
  get content(): Uint8Array | undefined {
    return this.#content;
  }

  /** Replaces the content, durably. @throws DATA_READ_ONLY, DISK_FULL */
  async write(content: Uint8Array): Promise<void> {
    const { random } = this.#options;
    if (content.length > MAX_CONTENT) throw new ClchatError('TOO_LARGE', `${this.#name} is full`);
    this.#seal ??= await this.#newSeal();
    const { parameters, key } = this.#seal;
    const body = encode({
      clchat: this.#name,
      version: 1,
      passphrase: parameters,
      box: sealWith(boxKey(key, this.#name, parameters), content, random),
    });
    // With the sum of it all, damage is told from a wrong key.
    await writeFileAtomic(this.#path(this.#name), concat(body, sha256(body)));
    this.#content = content;
  }

  async #read(): Promise<void> {
    const bytes = await readFileBounded(this.#path(this.#name), MAX_CONTENT + 4096);
    if (bytes === undefined) return;
    const { passphrase, box } = this.#parse(bytes);
    const key = passphrase === null ? await this.#keyFile() : await this.#stretch(passphrase);
    const content = openWith(boxKey(key, this.#name, passphrase), box);
    if (content === undefined) throw this.#refusal('does not open');
    this.#content = content;
    if (passphrase === null && this.#options.passphrase !== undefined) await this.write(content);
    else this.#seal = { parameters: passphrase, key };
  }

  #parse(bytes: Uint8Array): v.InferOutput<typeof envelope> {
    const body = bytes.subarray(0, -32);
    const damaged = (cause?: unknown): ClchatError =>
      new ClchatError('DATA_CORRUPT', `The file ${this.#path(this.#name)} is damaged.`, { cause });
    if (bytes.length < 32 || !equal(sha256(body), bytes.subarray(-32))) throw damaged();
    try {
      const parsed = parse(envelope, body, { canonical: true });
      if (parsed.clchat === this.#name) return parsed;
    } catch (error) {
      throw damaged(error);
    }
    throw damaged();
  }

  async #newSeal(): Promise<Seal> {
    const { passphrase, random } = this.#options;
    if (passphrase === undefined) return { parameters: null, key: await this.#makeKeyFile() };
    const parameters = scryptOf(COST, Uint8Array.from(random(16)));
    return { parameters, key: await scrypt(passphrase, parameters) };
  }

  async #stretch(parameters: ScryptParameters): Promise<Uint8Array> {
    const { passphrase } = this.#options;
    if (passphrase === undefined)
      throw this.#refusal('is sealed under a passphrase, and none was given');
    return scrypt(passphrase, parameters);
  }

  async #keyFile(): Promise<Uint8Array> {
    const key = await this.#readKeyFile();
    if (key === undefined)
      throw this.#refusal(`needs the key file ${this.#path(KEY_FILE)}, which is gone`);
    return key;
  }

  async #makeKeyFile(): Promise<Uint8Array> {
    const present = await this.#readKeyFile();
    if (present !== undefined) return present;
    const key = Uint8Array.from(this.#options.random(32));
    await writeFileAtomic(this.#path(KEY_FILE), utf8(`${toHex(key)}\n`));
    return key;
  }

  async #readKeyFile(): Promise<Uint8Array | undefined> {
    const path = this.#path(KEY_FILE);
    const bytes = await readFileBounded(path, 1024);
    if (bytes === undefined) return undefined;
    if (await isExposed(path))
      throw new ClchatError(
        'KEY_EXPOSED',
        `The key file ${path} may be read by others. Run "chmod 600 ${path}", and consider who may have read it.`,
      );
    const hex = Buffer.from(bytes).toString('latin1').trim();
    if (!/^[0-9a-f]{64}$/.test(hex))
      throw new ClchatError('DATA_CORRUPT', `The key file ${path} is damaged.`);
    return fromHex(hex);
  }

  #refusal(why: string): ClchatError {
    return new ClchatError('BAD_PASSPHRASE', `${this.#path(this.#name)} ${why}.`);
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }
}

function boxKey(key: Uint8Array, name: string, parameters: ScryptParameters | null): Uint8Array {
  return createHmac('sha256', key)
    .update(encode(['clchat sealed file v1', name, parameters]))
    .digest();
}

/**
 * A secret of 32 bytes in a sealed file of its own.
 * @param initial makes it where there is none; without, `undefined` is returned then
 * @throws as `SealedFile.open`
 */
export async function openSecret(
  name: string,
  options: SealOptions,
  initial?: () => Uint8Array,
): Promise<Uint8Array | undefined> {
  const file = await SealedFile.open(name, options);
  if (file.content === undefined && initial !== undefined)
    await file.write(Uint8Array.from(initial()));
  const secret = file.content;
  if (secret !== undefined && secret.length !== 32)
    throw new ClchatError('DATA_CORRUPT', `The file ${join(options.directory, name)} is damaged.`);
  return secret;
}
