/**
 * The server's secrets (password records, locks, codes), inside its store but readable only with the
 * vault's key. Neither names nor values show, and no value can be put in the place of another.
 */
import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import { toHex } from '../crdt/bytes.ts';
import { encode, parse } from '../crdt/codec.ts';
import { openWith, sealWith, type RandomBytes } from '../crdt/keys.ts';
import { prefixed, type Store, type StoreOperation } from '../crdt/store.ts';
import { ClchatError, hasCode } from '../errors.ts';
import { openSecret, type SealOptions } from './sealed-file.ts';

/** What the keys of the vault begin with in the store. */
export const VAULT_PREFIX = 'vault!';

/** Name of the file with the vault's key. */
export const VAULT_KEY_FILE = 'vault.key';

/** A record that is always there, to tell the right key by. */
const WITNESS = 'witness';

export interface VaultOptions extends SealOptions {
  readonly store: Store;
}

/**
 * Opens the vault of a server. Its key is 32 random bytes in the file `vault.key`, sealed as the
 * keystore is; made when the store holds no vault yet.
 * @throws BAD_PASSPHRASE when the key is gone or another's, KEY_EXPOSED, DATA_CORRUPT,
 *   DATA_READ_ONLY, DISK_FULL
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { store, random } = options;
  let used = false;
  for await (const _ of store.entries({ ...prefixed(VAULT_PREFIX), limit: 1 })) used = true;
  const key = await openSecret(VAULT_KEY_FILE, options, used ? undefined : () => random(32));
  if (key === undefined)
    throw new ClchatError('BAD_PASSPHRASE', `The file ${VAULT_KEY_FILE} of this server is gone.`);
  const vault = new Vault(store, key, random);
  if (used) vault.checkKey();
  else await store.write([vault.put(WITNESS, null)], { sync: true });
  return vault;
}

const sealedRecord = v.strictObject({ name: v.string(), value: v.unknown() });

export class Vault {
  /** 32 bytes; for the backup. */
  readonly key: Uint8Array;
  readonly #store: Store;
  readonly #random: RandomBytes;

  constructor(store: Store, key: Uint8Array, random: RandomBytes) {
    this.#store = store;
    this.key = key;
    this.#random = random;
  }

  /** @throws BAD_PASSPHRASE when the store's vault is under another key */
  checkKey(): void {
    try {
      if (this.get(WITNESS, v.null()) === null) return;
    } catch (error) {
      if (!hasCode(error, 'DATA_CORRUPT')) throw error;
    }
    throw new ClchatError(
      'BAD_PASSPHRASE',
      `The file ${VAULT_KEY_FILE} is not that of this server.`,
    );
  }

  /**
   * @returns undefined where there is no such record
   * @throws DATA_CORRUPT when the record was altered, or does not fit the schema
   */
  get<Schema extends v.GenericSchema>(
    name: string,
    schema: Schema,
  ): v.InferOutput<Schema> | undefined {
    const at = this.#place(name);
    const box = this.#store.get(at);
    if (box === undefined) return undefined;
    const result = v.safeParse(schema, this.#open(at, box).value);
    if (!result.success) throw damaged();
    return result.output;
  }

  /** What writes the record, for a batch of the caller's. */
  put(name: string, value: unknown): StoreOperation {
    const key = this.#place(name);
    const record = encode({ name, value });
    return { type: 'put', key, value: sealWith(this.#recordKey(key), record, this.#random) };
  }

  /** What deletes the record, for a batch of the caller's. */
  delete(name: string): StoreOperation {
    return { type: 'delete', key: this.#place(name) };
  }

  /**
   * Names of the records that begin so, in no order.
   * @throws DATA_CORRUPT
   */
  async *names(beginning: string): AsyncGenerator<string> {
    for await (const [key, box] of this.#store.entries(prefixed(VAULT_PREFIX))) {
      const { name } = this.#open(key, box);
      if (name !== WITNESS && name.startsWith(beginning)) yield name;
    }
  }

  #place(name: string): string {
    return `${VAULT_PREFIX}${toHex(this.#derive('name', name))}`;
  }

  /** Each place has a key of its own, so that a value opens nowhere else. */
  #recordKey(place: string): Uint8Array {
    return this.#derive('value', place);
  }

  #derive(purpose: string, of: string): Uint8Array {
    return createHmac('sha256', this.key).update(`clchat vault ${purpose} v1\0${of}`).digest();
  }

  #open(place: string, box: Uint8Array): v.InferOutput<typeof sealedRecord> {
    const record = openWith(this.#recordKey(place), box);
    if (record === undefined) throw damaged();
    try {
      return parse(sealedRecord, record);
    } catch (error) {
      throw damaged(error);
    }
  }
}

function damaged(cause?: unknown): ClchatError {
  return new ClchatError('DATA_CORRUPT', 'The vault is damaged.', { cause });
}
