/**
 * Conversation keys: making key epochs, sealing messages under them and reading them again.
 */
import * as v from 'valibot';
import {
  editText,
  reaction,
  sayBody,
  type EditText,
  type Reaction,
  type SayBody,
} from './bodies.ts';
import { equal } from './bytes.ts';
import { encode, parse } from './codec.ts';
import { conversationAction } from './content.ts';
import {
  currentEpoch,
  isEncrypted,
  isLockedRightly,
  lastEpochNumber,
  lockAt,
} from './conversation.ts';
import { newSalt, type Entry } from './entry.ts';
import {
  EpochKeys,
  inOrder,
  lockKey,
  previousKey,
  withinKey,
  type EpochKeysOptions,
} from './epoch-keys.ts';
import { ClchatError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import {
  sealTo,
  sealWith,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
  type RoomId,
} from './keys.ts';
import { membersOf } from './membership.ts';
import { accountOf, MAX_PREVIOUS, type EpochRecord } from './records.ts';
import { lockKeyOf, lockOf } from './rooms.ts';
import { openBody, sealBody } from './sealed-body.ts';
import type { Reader } from './state.ts';
import { placeOfStream, roomStream, type StreamName } from './stream.ts';

export type { ProvedLock } from './epoch-keys.ts';

export interface SecretsOptions extends EpochKeysOptions {
  readonly server: PublicKey;
  readonly device: PublicKey;
  readonly random: RandomBytes;
  /** Whether a member is known to have opened the epoch: the server must not choose what to write under. */
  readonly isProven: (epoch: EntryId) => boolean;
}

/** What this device says in its conversations, and can read of them. */
export class Secrets {
  readonly #options: SecretsOptions;
  readonly #keys: EpochKeys;

  constructor(options: SecretsOptions) {
    this.#options = options;
    this.#keys = new EpochKeys(options);
  }

  get #space(): Reader {
    return this.#options.space();
  }

  /** Remembers an epoch that waits in the outbox. */
  noteOpened(entry: Entry): void {
    this.#keys.noteOpened(entry);
  }

  forgetOpened(stream: StreamName): void {
    this.#keys.forgetOpened(stream);
  }

  /** A lock has been opened here, and with it epochs that could not be. */
  forgetUnreadable(): void {
    this.#keys.forgetUnreadable();
  }

  /** A generation of the lock of a room, from its password or as the room's members know it. */
  lock(stream: StreamName, holder: RoomId, generation: number, state: Reader): Keyring | undefined {
    return this.#keys.lock(stream, holder, generation, state);
  }

  /** The epoch to write under: the sealed one, or else one of our own under way; undefined: open one. */
  writable(stream: StreamName, state: Reader): EntryId | undefined {
    const sealed = currentEpoch(stream, state, this.#space);
    const { isProven } = this.#options;
    const isUsable =
      sealed !== undefined && isProven(sealed.id) && this.#isFresh(stream, sealed.record);
    if (isUsable && this.#keys.keyOf(stream, sealed.id, sealed.record) !== undefined)
      return sealed.id;
    const own = this.#keys.openedHere(stream);
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
    return good && this.#keys.keyOf(stream, own.id, own.record) !== undefined ? own.id : undefined;
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
    const known = this.#keys.lock(stream, holder, generation, state);
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
    const known = above && this.#keys.find(above.at, above.id, above.state);
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
      const known = linked.has(epoch) ? undefined : this.#keys.find(stream, epoch, state);
      if (known === undefined || previous.length === MAX_PREVIOUS) continue;
      previous.push({ epoch, box: sealWith(previousKey(key), known, this.#options.random) });
    }
    return previous.length === 0 ? {} : { previous };
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
    const key = this.#keys.find(place.stream, epoch, state);
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
    const key = salt === undefined ? undefined : this.#keys.find(entry.stream, epoch, state);
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
