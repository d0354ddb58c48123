/** Devices of people, and the entries that they sign. */
import { encode } from '../../lib/crdt/codec.ts';
import { newSalt, signEntry, type Entry, type Header } from '../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../lib/crdt/keyring.ts';
import {
  SealingKey,
  sealTo,
  SigningKey,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
} from '../../lib/crdt/keys.ts';
import { sealBody } from '../../lib/crdt/sealed-body.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';

export const NOW = 1_700_000_000_000;

interface Head {
  seq: number;
  id: EntryId | null;
  clock: number;
}

/** A device that signs entries, one chain in each stream. */
export class Writer {
  readonly key: SigningKey;
  readonly random: RandomBytes;
  readonly #server: PublicKey;
  readonly #heads = new Map<StreamName, Head>();

  constructor(server: PublicKey, random: RandomBytes, key = new SigningKey(random(32))) {
    this.#server = server;
    this.random = random;
    this.key = key;
  }

  get id(): PublicKey {
    return this.key.public;
  }

  /** Number of the next entry in a stream. */
  next(stream: StreamName): number {
    return (this.#heads.get(stream)?.seq ?? 0) + 1;
  }

  /** The next entry of the chain, which goes on from it. A salt where the body is sealed with one. */
  write(
    stream: StreamName,
    kind: string,
    body: unknown,
    change: Partial<Header> & { salt?: Uint8Array } = {},
  ): Entry {
    const entry = this.forge(stream, kind, body, change);
    this.#heads.set(stream, { seq: entry.seq, id: entry.id, clock: entry.clock });
    return entry;
  }

  /** As `write`, but the chain stays where it is. */
  forge(
    stream: StreamName,
    kind: string,
    body: unknown,
    { salt, ...change }: Partial<Header> & { salt?: Uint8Array } = {},
  ): Entry {
    const head = this.#heads.get(stream);
    const header = {
      server: this.#server,
      stream,
      seq: (head?.seq ?? 0) + 1,
      previous: head?.id ?? null,
      clock: (head?.clock ?? 0) + 1,
      time: NOW,
      kind,
      ...change,
    };
    const bytes = body instanceof Uint8Array ? body : encode(body);
    return signEntry(this.key, header, bytes, salt ?? newSalt(this.random));
  }

  /** Goes on as if an entry, the last of its stream, had never been written. */
  undo({ stream, seq, previous, clock }: Entry): void {
    this.#heads.set(stream, { seq: seq - 1, id: previous, clock: clock - 1 });
  }

  /** Goes on from an entry; undefined: from the beginning. */
  rewind(stream: StreamName, to: Entry | undefined): void {
    if (to === undefined) this.#heads.delete(stream);
    else this.#heads.set(stream, { seq: to.seq, id: to.id, clock: to.clock });
  }
}

/** A person's device, with the account's keyring. */
export class Member extends Writer {
  readonly name: string;
  readonly sealing: SealingKey;
  readonly server: PublicKey;
  account = '' as AccountId;
  keyring: Keyring;

  constructor(server: PublicKey, random: RandomBytes, name: string, keyring?: Keyring) {
    super(server, random);
    this.server = server;
    this.name = name;
    this.sealing = new SealingKey(random(32));
    this.keyring = keyring ?? Keyring.create(1, random);
  }

  get deviceKeys(): { sealing: Uint8Array; label: string } {
    return { sealing: this.sealing.public, label: 'laptop' };
  }

  /** The entry by which the account and its first device come to be. */
  signup(exportKey?: Uint8Array, change: object = {}): Entry {
    const entry = this.write('space', 'account', {
      name: this.name,
      device: this.deviceKeys,
      keyring: this.keyring.public,
      password:
        exportKey === undefined ? null : wrapForPassword(this.keyring, exportKey, this.random),
      ...change,
    });
    this.account = entry.id.slice(0, 32) as AccountId;
    return entry;
  }

  /** A further device of the account, which has not made itself known yet. */
  device(): Member {
    const device = new Member(this.server, this.random, this.name, this.keyring);
    device.account = this.account;
    return device;
  }

  /** The entry by which a further device makes itself known. */
  enrolment(change: object = {}): Entry {
    return this.write('space', 'device', {
      account: this.account,
      device: this.deviceKeys,
      generation: this.keyring.generation,
      proof: this.keyring.vouch(this.server, this.account, this.id, this.sealing.public),
      ...change,
    });
  }

  /** The body that shuts out a device; the others keep up by the wraps. */
  revocation(device: PublicKey, rest: readonly Member[], fresh: Keyring): Record<string, unknown> {
    return {
      device,
      keyring: fresh.public,
      wraps: rest.map((one) => [one.id, sealTo(one.sealing.public, fresh.secret, this.random)]),
      password: null,
      previous: fresh.sealPrevious(this.keyring, this.random),
    };
  }

  /** The entry that shuts out a device: this one alone goes on, with the next keyring. */
  rotation(device: PublicKey): Entry {
    const fresh = Keyring.create(this.keyring.generation + 1, this.random);
    const entry = this.write('space', 'revoke', this.revocation(device, [this], fresh));
    this.keyring = fresh;
    return entry;
  }

  /** The body that opens a key epoch for members, with the key. */
  epoch(members: readonly Member[], number: number, key: Uint8Array): Record<string, unknown> {
    return {
      number,
      wraps: members.map(({ account, keyring }) => [
        account,
        keyring.generation,
        sealTo(keyring.box.public, key, this.random),
      ]),
    };
  }

  /** A message sealed under an epoch, at this device's next place. */
  sealed(stream: StreamName, epoch: EntryId, key: Uint8Array, text: string): Entry {
    return this.under(stream, 'sealed', epoch, key, { text });
  }

  /** Anything sealed under an epoch. @param open what stands beside it in the clear */
  under(
    stream: StreamName,
    kind: string,
    epoch: EntryId,
    key: Uint8Array,
    plain: object,
    open: object = {},
  ): Entry {
    const salt = newSalt(this.random);
    const place = { server: this.server, stream, device: this.id, seq: this.next(stream) };
    const body = sealBody(key, epoch, place, salt, encode(plain), open);
    return this.write(stream, kind, body, { salt });
  }
}
