/**
 * Conversation keys: opening key epochs, sealing messages under them and reading them again.
 *
 * A message key is made of the epoch's key and the entry's random salt, so that no nonce can repeat
 * whatever becomes of a device's counters; the place of the entry is associated data.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import * as v from 'valibot';
import {
  BODIES,
  editText,
  reaction,
  sayBody,
  type EditText,
  type Reaction,
  type SayBody,
} from './bodies.ts';
import { concat, equal, utf8 } from './bytes.ts';
import { encode, parse } from './codec.ts';
import { conversationAction } from './content.ts';
import {
  currentEpoch,
  isEncrypted,
  isLockedRightly,
  lastEpochNumber,
  lockAt,
} from './conversation.ts';
import { newSalt, placeOf, type Entry } from './entry.ts';
import { ClchatError } from '../errors.ts';
import { derive, Keyring } from './keyring.ts';
import {
  openWith,
  sealTo,
  sealWith,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
  type RoomId,
  type SealingKey,
} from './keys.ts';
import { membersOf } from './membership.ts';
import { accountOf, MAX_PREVIOUS, type EpochRecord } from './records.ts';
import { lineOf, lockKeyOf, lockOf } from './rooms.ts';
import type { Reader } from './state.ts';
import { placeOfStream, roomStream, type StreamName } from './stream.ts';

const MESSAGE_TAG = utf8('clchat message key v1\0');
/** A key is used for one message only, so its nonce may be constant. */
const NONCE = new Uint8Array(12);
const TAG_LENGTH = 16;

function messageKey(epochKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', epochKey).update(MESSAGE_TAG).update(salt).digest();
}

/**
 * Keys under which an epoch keeps the key of one before it, the secret of the room's lock, and the
 * key of an epoch of a room within.
 */
const previousKey = (epochKey: Uint8Array): Uint8Array => derive('epoch previous', epochKey);
const lockKey = (epochKey: Uint8Array): Uint8Array => derive('epoch lock', epochKey);
const withinKey = (epochKey: Uint8Array): Uint8Array => derive('epoch within', epochKey);

/** Where a sealed body belongs; see `placeOf`. */
export interface Place {
  readonly server: PublicKey;
  readonly stream: StreamName;
  readonly device: PublicKey;
  readonly seq: number;
}

/**
 * AES-256-GCM under the message's own key.
 * @param open what stands beside it for everybody to read
 */
export function sealBody(
  epochKey: Uint8Array,
  epoch: EntryId,
  place: Place,
  salt: Uint8Array,
  plain: Uint8Array,
  open: object = {},
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', messageKey(epochKey, salt), NONCE);
  cipher.setAAD(placeOf(place, epoch));
  const box = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  return encode({ ...open, epoch, box });
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

/** A lock as somebody knows it who has proved its password, or made it. */
export interface ProvedLock {
  readonly keyring: Keyring;
  /** What only the password yields; undefined where the lock has none, or it was not given here. */
  readonly password: SealingKey | undefined;
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
  readonly space: () => Reader;
  /** A generation of a room's lock, where its password has been proved here. */
  readonly provedLock: (holder: RoomId, generation: number) => ProvedLock | undefined;
  /** State of a stream that is in memory. */
  readonly opened: (stream: StreamName) => Reader | undefined;
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
  /** Until which change of its epochs a stream has been walked back; see `#walk`. */
  readonly #walked = new Map<StreamName, number>();

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  get #space(): Reader {
    return this.#options.space();
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
  writable(stream: StreamName, state: Reader): EntryId | undefined {
    const sealed = currentEpoch(stream, state, this.#space);
    const { isProven } = this.#options;
    const isUsable =
      sealed !== undefined && isProven(sealed.id) && this.#isFresh(stream, sealed.record);
    if (isUsable && this.#keyOf(stream, sealed.id, sealed.record) !== undefined) return sealed.id;
    const own = this.#opened.get(stream);
    if (own === undefined || state.get('epoch', own.id) !== undefined) return undefined;
    const good =
      isLockedRightly(this.#space, stream, own.record) &&
      this.#isFresh(stream, own.record) &&
      membersOf(stream, state, this.#space).every((member) =>
        own.record.wraps.some(
          ([account, generation]) =>
            account === member && generation === accountOf(this.#space, member)?.keyring.generation,
        ),
      );
    return good && this.#keyOf(stream, own.id, own.record) !== undefined ? own.id : undefined;
  }

  /**
   * The body of an entry that opens a new epoch, reaching exactly the members.
   * @throws NOT_MEMBER where this account is none
   */
  newEpoch(stream: StreamName, state: Reader): Uint8Array {
    const { random, account: self } = this.#options;
    const key = Uint8Array.from(random(32));
    const members = membersOf(stream, state, this.#space);
    if (!members.includes(self)) throw new ClchatError('NOT_MEMBER');
    const wraps = members.map((member): [AccountId, number, Uint8Array] => {
      const account = accountOf(this.#space, member);
      if (account === undefined) throw new ClchatError('NO_SUCH_USER');
      const { generation, box } = account.keyring;
      return [member, generation, sealTo(box, key, random)];
    });
    const body: EpochRecord = {
      number: lastEpochNumber(state) + 1,
      wraps,
      ...this.#forLock(stream, state, key),
      ...this.#forThoseAbove(stream, key),
      ...this.#forNewcomers(stream, state, key),
    };
    return encode(body);
  }

  /**
   * What lets those open an epoch who prove the password of the room's lock. To seal it to the lock
   * itself would not do: those who have left know its secret, which only shows who may come in.
   */
  #forLock(stream: StreamName, state: Reader, key: Uint8Array): Pick<EpochRecord, 'lock'> {
    const { random } = this.#options;
    const lock = lockAt(this.#space, stream);
    if (lock === undefined) return {};
    const { holder, generation } = lock;
    const record = lockKeyOf(this.#space, holder, generation);
    if (record === undefined) return {};
    const known = this.lock(stream, holder, generation, state);
    const { password } = record;
    return {
      lock: {
        holder,
        generation,
        box: password === null ? null : sealTo(password.key, key, random),
        secret: known === undefined ? null : sealWith(lockKey(key), known.secret, random),
      },
    };
  }

  /**
   * The stream of the room above whose password opens a room: whoever is in that one may come into
   * this one and read what was said there.
   */
  above(stream: StreamName): StreamName | undefined {
    const lock = lockAt(this.#space, stream);
    const isAbove = lock?.password === true && roomStream(lock.holder) !== stream;
    return isAbove ? roomStream(lock.holder) : undefined;
  }

  /** The epoch of the room above under which this account may seal; undefined where it is not in it. */
  #epochAbove(stream: StreamName): { at: StreamName; state: Reader; id: EntryId } | undefined {
    const at = this.above(stream);
    const state = at === undefined ? undefined : this.#options.opened(at);
    if (at === undefined || state?.get('member', this.#options.account) !== true) return undefined;
    const id = this.writable(at, state);
    return id === undefined ? undefined : { at, state, id };
  }

  #forThoseAbove(stream: StreamName, key: Uint8Array): Pick<EpochRecord, 'above'> {
    const above = this.#epochAbove(stream);
    const known = above && this.#find(above.at, above.id, above.state);
    if (above === undefined || known === undefined) return {};
    const box = sealWith(withinKey(known), key, this.#options.random);
    return { above: { epoch: above.id, box } };
  }

  /** Whether nobody has left the room above since who could open the epoch by having been there. */
  #isFresh(stream: StreamName, { above }: EpochRecord): boolean {
    const present = above === undefined ? undefined : this.#epochAbove(stream);
    return present === undefined || present.id === above?.epoch;
  }

  /** Whoever comes by a password may read what was said before; by invitation, what is said after. */
  #forNewcomers(stream: StreamName, state: Reader, key: Uint8Array): Pick<EpochRecord, 'previous'> {
    const place = placeOfStream(stream);
    if (place.type !== 'room' || lockOf(this.#space, place.room)?.password !== true) return {};
    const epochs = inOrder(state);
    const linked = new Set(
      epochs.flatMap(([, { previous = [] }]) => previous.map(({ epoch }) => epoch)),
    );
    const previous: NonNullable<EpochRecord['previous']> = [];
    // One as a rule; more where somebody wrote who could not open what was before.
    for (const [epoch] of epochs) {
      const known = linked.has(epoch) ? undefined : this.#find(stream, epoch, state);
      if (known === undefined || previous.length === MAX_PREVIOUS) continue;
      previous.push({ epoch, box: sealWith(previousKey(key), known, this.#options.random) });
    }
    return previous.length === 0 ? {} : { previous };
  }

  /** A generation of the lock of a room, from its password or as the room's members know it. */
  lock(stream: StreamName, holder: RoomId, generation: number, state: Reader): Keyring | undefined {
    const proved = this.#options.provedLock(holder, generation);
    if (proved !== undefined) return proved.keyring;
    for (const [id, { lock }] of state.entries<EpochRecord>('epoch')) {
      if (lock?.holder !== holder || lock.generation !== generation || lock.secret === null)
        continue;
      const key = this.#find(stream, id as EntryId, state);
      const secret = key === undefined ? undefined : openWith(lockKey(key), lock.secret);
      if (secret === undefined) continue;
      const keyring = new Keyring(generation, secret);
      // Whoever opened the epoch may have written anything.
      const known = lockKeyOf(this.#space, holder, generation)?.keyring;
      if (known !== undefined && known.sign === keyring.public.sign) return keyring;
    }
    return undefined;
  }

  #keyOf(
    stream: StreamName,
    id: EntryId,
    { wraps, lock, above }: EpochRecord,
  ): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const wrap = wraps.find(([account]) => account === this.#options.account);
    const key =
      (wrap === undefined ? undefined : this.#options.keyring(wrap[1])?.box.open(wrap[2])) ??
      this.#keyByLock(lock) ??
      this.#keyByAbove(stream, above);
    if (key !== undefined) this.#keep(id, key);
    return key;
  }

  #keyByLock(lock: EpochRecord['lock']): Uint8Array | undefined {
    if (lock === undefined || lock.box === null) return undefined;
    return this.#options.provedLock(lock.holder, lock.generation)?.password?.open(lock.box);
  }

  #keyByAbove(stream: StreamName, above: EpochRecord['above']): Uint8Array | undefined {
    const place = placeOfStream(stream);
    if (above === undefined || place.type !== 'room') return undefined;
    for (const { id } of lineOf(this.#space, place.room).slice(1)) {
      const at = roomStream(id);
      const state = this.#options.opened(at);
      const known = state === undefined ? undefined : this.#find(at, above.epoch, state);
      const key = known === undefined ? undefined : openWith(withinKey(known), above.box);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #keep(id: EntryId, key: Uint8Array): void {
    if (this.#keys.size >= KEYS_LIMIT) {
      this.#keys.clear();
      this.#walked.clear();
    }
    this.#keys.set(id, key);
  }

  #find(stream: StreamName, id: EntryId, state: Reader): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const own = this.#opened.get(stream);
    const record =
      state.get<EpochRecord>('epoch', id) ??
      (own?.id === id ? own.record : this.#options.keptEpoch(id));
    if (record === undefined) return undefined;
    const key = this.#keyOf(stream, id, record);
    if (key !== undefined) return key;
    this.#walk(stream, state);
    return this.#keys.get(id);
  }

  /** Opens epochs by those that came after them. */
  #walk(stream: StreamName, state: Reader): void {
    const stamp = state.stamp('epoch');
    if (this.#walked.get(stream) === stamp) return;
    for (const [id, record] of inOrder(state)) {
      // What this device can open itself it need not be told, perhaps wrongly.
      const unknown = (record.previous ?? []).filter(
        ({ epoch }) => this.#openItself(stream, epoch, state) === undefined,
      );
      const key = unknown.length === 0 ? undefined : this.#keyOf(stream, id, record);
      if (key === undefined) continue;
      for (const { epoch, box } of unknown) {
        const before = openWith(previousKey(key), box);
        if (before !== undefined) this.#keep(epoch, before);
      }
    }
    this.#walked.set(stream, stamp);
  }

  #openItself(stream: StreamName, id: EntryId, state: Reader): Uint8Array | undefined {
    const record = state.get<EpochRecord>('epoch', id);
    return record === undefined ? this.#keys.get(id) : this.#keyOf(stream, id, record);
  }

  /** A lock has been opened here, and with it epochs that could not be. */
  forgetUnreadable(): void {
    this.#walked.clear();
  }

  /**
   * Body and salt of something said, sealed where the stream is.
   * @param plain what is for the members only
   * @param open what everybody who has the entry may know
   */
  write(
    { plain, open = {} }: { readonly plain: object; readonly open?: object },
    place: { stream: StreamName; seq: number },
    epoch: EntryId | undefined,
    state: Reader,
  ): { body: Uint8Array; salt: Uint8Array } {
    const { server, device, random } = this.#options;
    const salt = newSalt(random);
    if (epoch === undefined) return { body: encode({ ...open, ...plain }), salt };
    const key = this.#find(place.stream, epoch, state);
    if (key === undefined) throw new ClchatError('STALE_KEY');
    const at = { server, device, ...place };
    return { body: sealBody(key, epoch, at, salt, encode(plain), open), salt };
  }

  /** What a message says; undefined when it is none, is erased or cannot be opened here. */
  read(entry: Entry, state: Reader): SayBody | undefined {
    const action = conversationAction(entry);
    if (action?.kind === 'say') return action.body;
    if (action?.kind !== 'sealed') return undefined;
    const say = this.#open(entry, action.body, sayBody, state);
    if (say?.file === undefined) return say;
    const { blob } = action.body;
    // Only what stands outside as well can be fetched by those who may read it.
    const isNamed = blob !== undefined && equal(blob.hash, say.file.hash);
    const { file: _unnamed, ...rest } = say;
    return isNamed ? say : rest;
  }

  /** The text that an edit gives a message. */
  readEdit(entry: Entry, state: Reader): EditText | undefined {
    const action = conversationAction(entry);
    if (action?.kind !== 'edit') return undefined;
    const { body } = action;
    return 'text' in body ? { text: body.text } : this.#open(entry, body, editText, state);
  }

  readReaction(entry: Entry, state: Reader): Reaction | undefined {
    const action = conversationAction(entry);
    if (action?.kind !== 'react') return undefined;
    const { body } = action;
    return 'emoji' in body
      ? { emoji: body.emoji, on: body.on }
      : this.#open(entry, body, reaction, state);
  }

  #open<S extends v.GenericSchema>(
    entry: Entry,
    { epoch, box }: { readonly epoch: EntryId; readonly box: Uint8Array },
    schema: S,
    state: Reader,
  ): v.InferOutput<S> | undefined {
    const { salt } = entry;
    const key = salt === undefined ? undefined : this.#find(entry.stream, epoch, state);
    if (salt === undefined || key === undefined) return undefined;
    const plain = openBody(key, epoch, entry, salt, box);
    if (plain === undefined) return undefined;
    try {
      return parse(schema, plain);
    } catch {
      // Written by a peer: a body that does not fit says nothing.
      return undefined;
    }
  }
}

/** The epochs of a stream, the newest first. */
function inOrder(state: Reader): [EntryId, EpochRecord][] {
  const epochs = [...state.entries<EpochRecord>('epoch')] as [EntryId, EpochRecord][];
  return epochs.sort(([, a], [, b]) => b.number - a.number);
}

/** The kind of entry by which a text is said in a stream. */
export function messageKind(space: Reader, stream: StreamName): 'say' | 'sealed' {
  return isEncrypted(space, stream) ? 'sealed' : 'say';
}

/** What fits into a message. @throws TOO_LARGE, USAGE (empty) */
export function sayOf(said: string | SayBody): SayBody {
  const say = typeof said === 'string' ? { text: said } : said;
  if (say.text.length === 0 && say.file === undefined)
    throw new ClchatError('USAGE', 'A message needs a text.');
  if (!v.is(sayBody, say)) throw new ClchatError('TOO_LARGE');
  return say;
}
