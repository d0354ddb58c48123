/**
 * A community without a network, for tests of the log: its server's key, its people with their
 * devices and keyrings, the entries they sign, and two things that judge them: `Ledger`, the bare
 * rules at once, and `SealedCommunity`, the real sealer over a store. All from one seed.
 */
import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../lib/crdt/entry.ts';
import { SigningKey, type RandomBytes } from '../../lib/crdt/keys.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { PERMISSIONS, USER_PERMISSIONS } from '../../lib/crdt/permissions.ts';
import { judge, type Verdict } from '../../lib/crdt/rules.ts';
import { entryItem, rootOf, signSeal, type Batch, type Seal } from '../../lib/crdt/seal.ts';
import { Sealer, type Outcome, type Submission } from '../../lib/crdt/sealer.ts';
import { State } from '../../lib/crdt/state.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { LOBBY_STREAM, type StreamName } from '../../lib/crdt/stream.ts';
import type { Clock } from '../../lib/lifecycle.ts';
import { Random } from '../simulation/random.ts';
import { Member, NOW, Writer } from './devices.ts';

export { Member, NOW, Writer };

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

export const GROUPS = {
  admin: { level: 100, permissions: [...PERMISSIONS] },
  user: { level: 0, permissions: [...USER_PERMISSIONS] },
  mute: { level: 0, permissions: [] },
  helper: { level: 50, permissions: ['setUserGroup', 'sendMessage'] },
};

/** The first entry of the log. */
export function foundation(server: Writer, groups: object = GROUPS): Entry {
  return server.write('space', 'server', { name: 'acme', groups, lobby: 'lobby' });
}

/** The rules alone: entries are judged at once and states kept in memory. */
export class Ledger {
  readonly random: RandomBytes;
  readonly server: Writer;
  /** The time at which everything is judged. */
  now = NOW;
  readonly #states = new Map<StreamName, { state: State; length: number }>();

  constructor(seed = 1, groups?: object) {
    this.random = new Random(seed).bytes;
    const key = new SigningKey(this.random(32));
    this.server = new Writer(key.public, this.random, key);
    this.accept(foundation(this.server, groups));
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
      now: this.now,
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

  /** Loses a further device, so that the keyring begins a new generation. @returns that device */
  rotate(member: Member): Member {
    const device = this.enrol(member);
    this.accept(member.rotation(device.id));
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

  /** Loses a further device, so that the keyring begins a new generation. @returns that device */
  async rotate(member: Member): Promise<Member> {
    const device = await this.enrol(member);
    await this.seal(member.rotation(device.id));
    return device;
  }

  /** Somebody in another group than new users are. */
  async appoint(member: Member, group: keyof typeof GROUPS): Promise<void> {
    await this.seal(this.server.write('space', 'setgroup', { account: member.account, group }));
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
