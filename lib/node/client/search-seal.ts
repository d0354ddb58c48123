/**
 * What keeps the search index from those who find the store: words are keyed hashes there, and every
 * value is sealed and bound to its key.
 *
 * The nonce of a value is a keyed hash of the value and its key: another value has another nonce,
 * also where a crash has undone what was written before.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { concat, sha256Hex, utf8 } from '../../crdt/bytes.ts';
import { derive } from '../../crdt/keyring.ts';
import { ClchatError } from '../../errors.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** Bytes of a word's hash: one number exactly, and hardly ever the same for two words. */
export const HASH_LENGTH = 6;
/** Words whose hashes are kept in memory. */
const KNOWN_LIMIT = 1 << 16;

export class SearchSeal {
  readonly #words: Uint8Array;
  readonly #nonces: Uint8Array;
  readonly #values: Uint8Array;
  readonly #known = new Map<string, number>();

  /** @param key 32 bytes, secret */
  constructor(key: Uint8Array) {
    this.#words = derive('search words', key);
    this.#nonces = derive('search nonces', key);
    this.#values = derive('search values', key);
  }

  /** The hash by which a word is known in the index, below 2^48. */
  hash(word: string): number {
    let hash = this.#known.get(word);
    if (hash === undefined) {
      const digest = sha256Hex(this.#words, utf8(word));
      hash = Number.parseInt(digest.slice(0, 2 * HASH_LENGTH), 16);
      if (this.#known.size >= KNOWN_LIMIT) this.#known.clear();
      this.#known.set(word, hash);
    }
    return hash;
  }

  /** @param key of the store, to which the value is bound */
  seal(key: string, value: Uint8Array): Uint8Array {
    const place = utf8(`${key}\0`);
    const digest = createHmac('sha256', this.#nonces).update(place).update(value).digest();
    const nonce = digest.subarray(0, NONCE_LENGTH);
    const cipher = createCipheriv(CIPHER, this.#values, nonce);
    cipher.setAAD(place);
    const content = cipher.update(value);
    cipher.final();
    return concat(nonce, cipher.getAuthTag(), content);
  }

  /** @throws DATA_CORRUPT when it was sealed under another key or for another place, or altered */
  open(key: string, box: Uint8Array): Buffer {
    const begin = NONCE_LENGTH + TAG_LENGTH;
    try {
      const nonce = box.subarray(0, NONCE_LENGTH);
      const decipher = createDecipheriv(CIPHER, this.#values, nonce, { authTagLength: TAG_LENGTH });
      decipher.setAAD(utf8(`${key}\0`));
      decipher.setAuthTag(box.subarray(NONCE_LENGTH, begin));
      const content = decipher.update(box.subarray(begin));
      decipher.final();
      return content;
    } catch (cause) {
      throw new ClchatError('DATA_CORRUPT', 'The search index is damaged.', { cause });
    }
  }
}
