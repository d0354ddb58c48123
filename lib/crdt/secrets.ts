/**
 * Conversation keys: opening key epochs, sealing messages under them and reading them again.
 *
 * A message key is made of the epoch's key and the entry's random salt, so that no nonce can repeat
 * whatever becomes of a device's counters; the place of the entry is associated data.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import * as v from 'valibot';
import {
  actionOf,
  BODIES,
  sayBody,
  type PairAction,
  type RoomAction,
  type SayBody,
} from './bodies.ts';
import { concat, utf8 } from './bytes.ts';
import { encode, parse } from './codec.ts';
import { currentEpoch, isEncrypted, lastEpochNumber, membersOf } from './conversation.ts';
import { newSalt, placeOf, type Entry } from './entry.ts';
import { ClchatError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { sealTo, type AccountId, type EntryId, type PublicKey, type RandomBytes } from './keys.ts';
import { accountOf, type EpochRecord } from './records.ts';
import type { Reader } from './state.ts';
import { placeOfStream, type StreamName } from './stream.ts';

const MESSAGE_TAG = utf8('clchat message key v1\0');
/** A key is used for one message only, so its nonce may be constant. */
const NONCE = new Uint8Array(12);
const TAG_LENGTH = 16;

function messageKey(epochKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', epochKey).update(MESSAGE_TAG).update(salt).digest();
}

/** Where a sealed body belongs; see `placeOf`. */
export interface Place {
  readonly server: PublicKey;
  readonly stream: StreamName;
  readonly device: PublicKey;
  readonly seq: number;
}

/** AES-256-GCM under the message's own key. */
export function sealBody(
  epochKey: Uint8Array,
  epoch: EntryId,
  place: Place,
  salt: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', messageKey(epochKey, salt), NONCE);
  cipher.setAAD(placeOf(place, epoch));
  const box = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  return encode({ epoch, box });
}

/** @returns undefined when the key is another or anything was altered */
export function openBody(
  epochKey: Uint8Array,
  epoch: EntryId,
  place: Place,
  salt: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  if (box.length < TAG_LENGTH) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', messageKey(epochKey, salt), NONCE, {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(placeOf(place, epoch));
  decipher.setAuthTag(box.subarray(box.length - TAG_LENGTH));
  try {
    return concat(decipher.update(box.subarray(0, box.length - TAG_LENGTH)), decipher.final());
  } catch {
    // Sealed by a peer: what does not open is unreadable, not a fault.
    return undefined;
  }
}

export interface SecretsOptions {
  readonly server: PublicKey;
  readonly device: PublicKey;
  readonly account: AccountId;
  readonly random: RandomBytes;
  /** The keyring of a generation, where this device has it. */
  readonly keyring: (generation: number) => Keyring | undefined;
  /** Whether a member is known to have opened the epoch: the server must not choose what to write under. */
  readonly isProven: (epoch: EntryId) => boolean;
  /** An epoch that own entries on their way need and no state has any more. */
  readonly keptEpoch: (epoch: EntryId) => EpochRecord | undefined;
}

/** Most epoch keys kept in memory; further ones are opened again when needed. */
const KEYS_LIMIT = 10_000;

/** The conversation keys that this device can open. */
export class Secrets {
  readonly #options: SecretsOptions;
  readonly #keys = new Map<EntryId, Uint8Array>();
  /** Epochs this device opened and no seal has yet: by stream, with the members they reach. */
  readonly #opened = new Map<StreamName, { id: EntryId; record: EpochRecord }>();

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /** Remembers an epoch that waits in the outbox. */
  noteOpened(entry: Entry): void {
    if (entry.body === undefined) return;
    const record: EpochRecord = parse(
      BODIES[placeOfStream(entry.stream).type === 'pair' ? 'pair' : 'room'].epoch,
      entry.body,
    );
    this.#opened.set(entry.stream, { id: entry.id, record });
  }

  forgetOpened(stream: StreamName): void {
    this.#opened.delete(stream);
  }

  /** The epoch to write under: the sealed one, or else one of our own under way; undefined: open one. */
  writable(stream: StreamName, state: Reader, space: Reader): EntryId | undefined {
    const sealed = currentEpoch(stream, state, space);
    const { isProven } = this.#options;
    const isUsable = sealed !== undefined && isProven(sealed.id);
    if (isUsable && this.#keyOf(sealed.id, sealed.record) !== undefined) return sealed.id;
    const own = this.#opened.get(stream);
    if (own === undefined || state.get('epoch', own.id) !== undefined) return undefined;
    const good = membersOf(stream, state).every((member) =>
      own.record.wraps.some(
        ([account, generation]) =>
          account === member && generation === accountOf(space, member)?.keyring.generation,
      ),
    );
    return good && this.#keyOf(own.id, own.record) !== undefined ? own.id : undefined;
  }

  /** The body of an entry that opens a new epoch, reaching exactly the members. */
  newEpoch(stream: StreamName, state: Reader, space: Reader): Uint8Array {
    const { random } = this.#options;
    const key = Uint8Array.from(random(32));
    const wraps = membersOf(stream, state).map((member): [AccountId, number, Uint8Array] => {
      const account = accountOf(space, member);
      if (account === undefined) throw new ClchatError('NO_SUCH_USER');
      const { generation, box } = account.keyring;
      return [member, generation, sealTo(box, key, random)];
    });
    return encode({ number: lastEpochNumber(state) + 1, wraps });
  }

  #keyOf(id: EntryId, record: EpochRecord): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const wrap = record.wraps.find(([account]) => account === this.#options.account);
    if (wrap === undefined) return undefined;
    const key = this.#options.keyring(wrap[1])?.box.open(wrap[2]);
    if (key === undefined) return undefined;
    if (this.#keys.size >= KEYS_LIMIT) this.#keys.clear();
    this.#keys.set(id, key);
    return key;
  }

  #find(stream: StreamName, id: EntryId, state: Reader): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const own = this.#opened.get(stream);
    const record =
      state.get<EpochRecord>('epoch', id) ??
      (own?.id === id ? own.record : this.#options.keptEpoch(id));
    return record === undefined ? undefined : this.#keyOf(id, record);
  }

  /** Kind, body and salt of a message for the stream, sealed where the stream is. */
  write(
    say: SayBody,
    place: { stream: StreamName; seq: number },
    epoch: EntryId | undefined,
    state: Reader,
  ): { body: Uint8Array; salt: Uint8Array } {
    const { server, device, random } = this.#options;
    const salt = newSalt(random);
    const plain = encode(say);
    if (epoch === undefined) return { body: plain, salt };
    const key = this.#find(place.stream, epoch, state);
    if (key === undefined) throw new ClchatError('STALE_KEY');
    return { body: sealBody(key, epoch, { server, device, ...place }, salt, plain), salt };
  }

  /** What a message says; undefined when it is none, is erased or cannot be opened here. */
  read(entry: Entry, state: Reader): SayBody | undefined {
    const { salt } = entry;
    const { type } = placeOfStream(entry.stream);
    if (salt === undefined || (type !== 'room' && type !== 'pair')) return undefined;
    const action = actionOf(entry, type) as RoomAction | PairAction | undefined;
    if (action?.kind === 'say') return action.body;
    if (action?.kind !== 'sealed') return undefined;
    const { epoch, box } = action.body;
    const key = this.#find(entry.stream, epoch, state);
    const plain = key === undefined ? undefined : openBody(key, epoch, entry, salt, box);
    if (plain === undefined) return undefined;
    try {
      return parse(sayBody, plain);
    } catch {
      // Written by a peer: a body that does not fit says nothing.
      return undefined;
    }
  }
}

/** The kind of entry by which a text is said in a stream. */
export function messageKind(space: Reader, stream: StreamName): 'say' | 'sealed' {
  return isEncrypted(space, stream) ? 'sealed' : 'say';
}

/** A text of the right size for a message. @throws TOO_LARGE, USAGE (empty) */
export function sayOf(text: string): SayBody {
  if (text.length === 0) throw new ClchatError('USAGE', 'A message needs a text.');
  if (!v.is(sayBody, { text })) throw new ClchatError('TOO_LARGE');
  return { text };
}
