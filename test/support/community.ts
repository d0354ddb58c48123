/**
 * A community without a network, for tests of the log: its server's key, its people with their
 * devices and keyrings, the entries they sign, and two things that judge them: `Ledger`, the bare
 * rules at once, and `SealedCommunity`, the real sealer over a store. All from one seed.
 */
import assert from 'node:assert/strict';
import { encode } from '../../lib/crdt/codec.ts';
import { encodeEntry, newSalt, signEntry, type Entry, type Header } from '../../lib/crdt/entry.ts';
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
import { LogStore } from '../../lib/crdt/log-store.ts';
import { PERMISSIONS, USER_PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { judge, type Verdict } from '../../lib/crdt/rules.ts';
import { entryItem, rootOf, signSeal, type Batch, type Seal } from '../../lib/crdt/seal.ts';
import { Sealer, type Outcome, type Submission } from '../../lib/crdt/sealer.ts';
import { sealBody } from '../../lib/crdt/secrets.ts';
import { State } from '../../lib/crdt/state.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { LOBBY_STREAM, type StreamName } from '../../lib/crdt/stream.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import { Random } from '../simulation/random.ts';

export const NOW = 1_700_000_000_000;

/** A clock that moves only when told to. */
export class TestClock implements Clock {
  wall = NOW;
  steady = 1_000;
  now = (): number => this.wall;
  monotonic = (): number => this.steady;

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.steady += milliseconds;
  }
}

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
    const salt = newSalt(this.random);
    const place = { server: this.server, stream, device: this.id, seq: this.next(stream) };
    const body = sealBody(key, epoch, place, salt, encode({ text }));
    return this.write(stream, 'sealed', body, { salt });
  }
}

export const GROUPS = {
  admin: { level: 100, permissions: [...PERMISSIONS] },
  user: { level: 0, permissions: [...USER_PERMISSIONS] },
  mute: { level: 0, permissions: [] },
  helper: { level: 50, permissions: ['setUserGroup', 'sendMessage'] },
};

/** The first entry of the log. */
export function foundation(server: Writer): Entry {
  return server.write('space', 'server', { name: 'acme', groups: GROUPS, lobby: 'lobby' });
}

/** The rules alone: entries are judged at once and states kept in memory. */
export class Ledger {
  readonly random: RandomBytes;
  readonly server: Writer;
  readonly #states = new Map<StreamName, { state: State; length: number }>();

  constructor(seed = 1) {
    this.random = new Random(seed).bytes;
    const key = new SigningKey(this.random(32));
    this.server = new Writer(key.public, this.random, key);
    this.accept(foundation(this.server));
  }

  at(stream: StreamName): { state: State; length: number } {
    let place = this.#states.get(stream);
    if (place === undefined) this.#states.set(stream, (place = { state: new State(), length: 0 }));
    return place;
  }

  get space(): State {
    return this.at('space').state;
  }

  judge(entry: Entry): Verdict {
    const { state, length } = this.at(entry.stream);
    return judge(entry, {
      space: this.space,
      stream: state,
      position: length,
      hindsight: false,
    });
  }

  /** Judges, and makes the changes of what was accepted or refused. */
  submit(entry: Entry): Verdict {
    const verdict = this.judge(entry);
    if (verdict.type !== 'rejected') {
      const place = this.at(entry.stream);
      place.state.apply(verdict.changes);
      place.length++;
    }
    return verdict;
  }

  accept(entry: Entry): Entry {
    const verdict = this.submit(entry);
    assert.equal(verdict.type, 'accepted', JSON.stringify(verdict));
    return entry;
  }

  refuse(entry: Entry, code: string): Entry {
    const verdict = this.submit(entry);
    assert.deepEqual([verdict.type, 'code' in verdict && verdict.code], ['refused', code]);
    return entry;
  }

  reject(entry: Entry, code: string): void {
    const verdict = this.submit(entry);
    assert.deepEqual([verdict.type, 'code' in verdict && verdict.code], ['rejected', code]);
  }

  /** What is to be made anew leaves no trace, and its writer goes back to before it. */
  stale(writer: Writer, entry: Entry): void {
    this.reject(entry, 'STALE_KEY');
    writer.undo(entry);
  }

  /** A person with an account. */
  join(name: string, exportKey?: Uint8Array): Member {
    const member = new Member(this.server.id, this.random, name);
    this.accept(member.signup(exportKey));
    return member;
  }

  /** A further device of an account. */
  enrol(member: Member): Member {
    const device = member.device();
    this.accept(device.enrolment());
    return device;
  }

  /** Somebody in another group than new users are. */
  appoint(member: Member, group: keyof typeof GROUPS, by?: Member): void {
    const body = { account: member.account, group };
    this.accept((by ?? this.server).write('space', 'setgroup', body));
  }
}

/** The real sealer over a store in memory; its batches in order. */
export class SealedCommunity {
  readonly random: RandomBytes;
  readonly server: Writer;
  readonly clock = new TestClock();
  readonly disk = new MemoryDisk();
  readonly batches: Batch[] = [];
  log: LogStore;
  sealer: Sealer;

  private constructor(seed: number) {
    this.random = new Random(seed).bytes;
    const key = new SigningKey(this.random(32));
    this.server = new Writer(key.public, this.random, key);
    this.log = new LogStore(this.disk.open());
    this.sealer = this.#newSealer();
  }

  static async found(seed = 1): Promise<SealedCommunity> {
    const community = new SealedCommunity(seed);
    await community.seal(foundation(community.server));
    return community;
  }

  #newSealer(): Sealer {
    return new Sealer({
      log: this.log,
      key: this.server.key,
      clock: this.clock,
      term: 1,
      onCommit: (batches) => this.batches.push(...batches),
    });
  }

  /** The store is opened anew, as by a restart of the server. */
  async restart(): Promise<void> {
    await this.sealer.close();
    await this.log.store.close();
    this.log = new LogStore(this.disk.open());
    this.sealer = this.#newSealer();
  }

  submit(entry: Entry, options: Partial<Submission> = {}): Promise<Outcome> {
    return this.sealer.submit({ entry, bytes: encodeEntry(entry), ...options });
  }

  async seal(entry: Entry): Promise<Entry> {
    const outcome = await this.submit(entry);
    assert.equal(outcome.type, 'sealed', JSON.stringify(outcome));
    return entry;
  }

  async join(name: string): Promise<Member> {
    const member = new Member(this.server.id, this.random, name);
    await this.seal(member.signup());
    return member;
  }

  async enrol(member: Member): Promise<Member> {
    const device = member.device();
    await this.seal(device.enrolment());
    return device;
  }

  say(member: Writer, text: string, stream: StreamName = LOBBY_STREAM): Promise<Entry> {
    return this.seal(member.write(stream, 'say', { text }));
  }

  /**
   * The first batch of a stream as a server would seal it that judges nothing: by the space as it
   * stands, and with a state that is none.
   */
  unjudged(entries: readonly Entry[], change: Partial<Seal> = {}): Batch {
    const items = entries.map((entry) => entryItem(entry));
    const seal = signSeal(this.server.key, {
      stream: entries[0]!.stream,
      term: 1,
      seq: 1,
      previous: null,
      first: 0,
      count: items.length,
      root: rootOf(items),
      space: this.log.headOf('space').length,
      time: this.clock.now(),
      state: new Uint8Array(32),
      ...change,
    });
    return { seal, items };
  }

  /** Seals of a stream in order. */
  of(stream: StreamName): Batch[] {
    return this.batches.filter(({ seal }) => seal.stream === stream);
  }
}

/** What a batch is on the wire. */
export function wireOf(batch: Batch): { seal: Uint8Array; items: Uint8Array[] } {
  return { seal: batch.seal.bytes, items: batch.items.map(({ bytes }) => bytes) };
}
