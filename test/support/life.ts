/**
 * A community in which random people with random devices do random things at the same time, some of
 * them wrong: what there is to do about rooms, groups and people is chosen by the plain table, and
 * devices, keys and conversations are added here.
 */
import { currentEpoch, lastEpochNumber, lockAt } from '../../lib/crdt/conversation.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../lib/crdt/keyring.ts';
import { sealTo, type AccountId, type EntryId } from '../../lib/crdt/keys.ts';
import { membersOf } from '../../lib/crdt/membership.ts';
import { accountOf, activeDevices, actorOf } from '../../lib/crdt/records.ts';
import type { Outcome } from '../../lib/crdt/sealer.ts';
import { codeVerifier } from '../../lib/crdt/space.ts';
import type { State } from '../../lib/crdt/state.ts';
import { accountStream, pairStream, roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import { Random } from '../simulation/random.ts';
import { GROUPS, Member, type SealedCommunity } from './community.ts';
import { Dice } from './plain-deeds.ts';
import { LOTS, TABLE } from './plain-table.ts';
import { PlainWorld } from './plain-world.ts';

const EXPORT = new Uint8Array(32).fill(3);
const CODE = 'sesame';

/** What a device does, and what is so once that is sealed. */
interface Made {
  readonly stream: StreamName;
  readonly kind: string;
  readonly body: unknown;
  readonly after?: (id: EntryId) => void;
}

export class Life {
  readonly random: Random;
  readonly community: SealedCommunity;
  readonly world = PlainWorld.found(GROUPS);
  /** All devices that ever were. */
  readonly devices: Member[] = [];
  /** What became of how much. */
  readonly outcomes = new Map<string, number>();
  readonly sent: Entry[] = [];
  #space!: State;
  #names = 0;

  constructor(seed: number, community: SealedCommunity) {
    this.random = new Random(seed);
    this.community = community;
  }

  async begin(): Promise<void> {
    for (const name of ['alice', 'bob', 'carol', 'dave']) {
      const device = await this.community.join(name);
      this.devices.push(device);
      this.world.arrive(device.account, name, 'user', device);
    }
    const { server } = this.community;
    const [first, second] = this.devices as [Member, Member];
    for (const [by, { account }] of [
      [server, first],
      [first, second],
    ] as const) {
      await this.community.seal(by.write('space', 'setgroup', { account, group: 'admin' }));
      this.world.people.get(account)!.group = 'admin';
    }
    this.#space = (await this.community.log.open('space')).state;
  }

  /** Several devices do something at the same time. */
  async round(): Promise<void> {
    // Where nobody is left who could do anything, somebody comes.
    while (!this.devices.some(({ id }) => actorOf(this.#space, id) !== undefined))
      await this.#arrive();
    const writers = new Set(Array.from({ length: 4 }, () => this.#someDevice()));
    await Promise.all([...writers].map((writer) => this.#act(writer)));
  }

  /** One that may still do something, as a rule. */
  #someDevice(): Member {
    const active = this.devices.filter(({ id }) => actorOf(this.#space, id) !== undefined);
    return this.random.pick(this.random.chance(0.95) && active.length > 0 ? active : this.devices);
  }

  async #act(writer: Member): Promise<void> {
    const { random } = this;
    const dice = random.next();
    if (dice < 0.03) return this.#enrol(writer);
    if (dice < 0.05) return this.#arrive();
    if (dice < 0.08 && this.sent.length > 0) {
      await this.#submit(random.pick(this.sent));
      return;
    }
    if (dice < 0.09) return this.#call(writer);
    const made = random.chance(0.55) ? this.#deed(writer) : await this.#make(writer);
    if (made === undefined) return;
    const { stream, kind, body, after } = made;
    const wrong = random.chance(0.04)
      ? random.pick([{ seq: 1 }, { seq: 99 }, { previous: null }, { clock: 2 ** 50 }])
      : {};
    const entry = writer.forge(stream, kind, body, wrong);
    const outcome = await this.#submit(entry);
    if (outcome.type !== 'rejected') writer.rewind(stream, entry);
    if (outcome.type === 'sealed') after?.(entry.id);
  }

  async #submit(entry: Entry): Promise<Outcome> {
    const outcome = await this.community.submit(entry);
    const label = outcome.type === 'sealed' ? entry.kind : outcome.code;
    this.outcomes.set(label, (this.outcomes.get(label) ?? 0) + 1);
    if (outcome.type === 'sealed') this.sent.push(entry);
    return outcome;
  }

  /** The server says that there was a call; at times somebody else does, or of what is not there. */
  async #call(writer: Member): Promise<void> {
    const { random, community } = this;
    const other = random.pick(this.devices);
    const isOfTwo = other.account !== writer.account && random.chance(0.6);
    const { id } = random.pick([...this.world.rooms.values()]);
    const stream = isOfTwo ? pairStream(writer.account, other.account) : roomStream(id);
    const told = { call: 'c'.repeat(32), seconds: random.below(100), people: 1 + random.below(3) };
    const body = isOfTwo
      ? { ...told, outcome: random.pick(['ended', 'missed']), caller: writer.account }
      : { ...told, outcome: random.chance(0.9) ? 'ended' : 'missed' };
    const by = random.chance(0.9) ? community.server : writer;
    const entry = by.forge(stream, 'call', body);
    const outcome = await this.#submit(entry);
    if (outcome.type !== 'rejected') by.rewind(stream, entry);
  }

  async #arrive(): Promise<void> {
    const name = this.random.pick(['ALICE', `user${this.#names++}`]);
    const member = new Member(this.community.server.id, this.random.bytes, name);
    const outcome = await this.#submit(member.signup());
    if (outcome.type !== 'sealed') return;
    this.devices.push(member);
    this.world.arrive(member.account, name, 'user', member);
  }

  async #enrol(owner: Member): Promise<void> {
    const device = owner.device();
    const outcome = await this.#submit(device.enrolment());
    if (outcome.type === 'sealed') this.devices.push(device);
  }

  /** Something of the plain table. */
  #deed(writer: Member): Made | undefined {
    const { random, world } = this;
    const what = random.pick(LOTS);
    // Where accounts ended as often as they do anything else, nobody would be left.
    if (what === 'removeuser' && random.chance(0.4)) return undefined;
    const person = world.people.get(writer.account)!;
    const dice = new Dice(Array.from({ length: 14 }, () => random.below(10_000)));
    return TABLE[what]!(world, { ...person, device: writer }, dice);
  }

  async #make(writer: Member): Promise<Made | undefined> {
    const { random } = this;
    const other = random.pick(this.devices);
    const dice = random.next();
    if (dice < 0.6) return this.#speak(writer, other);
    const own = accountStream(writer.account);
    if (dice < 0.66) {
      const body = { account: other.account, blocked: random.chance(0.7) };
      return { stream: own, kind: 'block', body };
    }
    if (dice < 0.7) {
      const body = { stream: 'room/lobby', until: random.below(50), tell: random.chance(0.5) };
      return { stream: own, kind: 'read', body };
    }
    if (dice < 0.78) return this.#revoke(writer);
    if (dice < 0.82) {
      const password = wrapForPassword(writer.keyring, EXPORT, random.bytes);
      return { stream: 'space', kind: 'password', body: { password } };
    }
    if (dice < 0.88) {
      const body = { account: other.account, verifier: codeVerifier(CODE) };
      return { stream: 'space', kind: 'reset', body };
    }
    if (dice < 0.92) {
      if (other.account === writer.account) return undefined;
      const kind = random.pick(['request', 'accept', 'reject', 'cancel', 'unfriend', 'befriend']);
      return { stream: pairStream(writer.account, other.account), kind, body: {} };
    }
    return this.#recover(writer);
  }

  /** An encrypted conversation of somebody: a pair, or a room that they have to do with. */
  #conversation(writer: Member, other: Member): StreamName | undefined {
    const { random, world } = this;
    const rooms = [...world.rooms.values()].filter(
      ({ id, owner, members }) =>
        world.isEncrypted(id) && (owner === writer.account || members.has(writer.account)),
    );
    if (rooms.length > 0 && random.chance(0.6)) return roomStream(random.pick(rooms).id);
    return other.account === writer.account ? undefined : pairStream(writer.account, other.account);
  }

  /** Opens a key epoch, a wrong one at times, or says something under one. */
  async #speak(writer: Member, other: Member): Promise<Made | undefined> {
    const { random } = this;
    const stream = this.#conversation(writer, other);
    if (stream === undefined) return undefined;
    const { state } = await this.community.log.open(stream);
    const current = currentEpoch(stream, state, this.#space);
    if (current === undefined || random.chance(0.15)) return this.#epoch(stream, state);
    const epochs = [...state.entries('epoch')].map(([id]) => id);
    const sealed = {
      epoch: random.chance(0.8) ? current.id : random.pick(epochs),
      box: random.bytes(20),
    };
    const target = random.pick(this.sent).id;
    return random.pick<Made>([
      { stream, kind: 'sealed', body: sealed },
      { stream, kind: 'sealed', body: sealed },
      { stream, kind: 'edit', body: { target, ...sealed } },
      { stream, kind: 'react', body: { target, ...sealed } },
      { stream, kind: 'remove', body: { target } },
    ]);
  }

  #epoch(stream: StreamName, state: State): Made {
    const { random } = this;
    const present = lockAt(this.#space, stream);
    const lock =
      present === undefined || random.chance(0.1)
        ? {}
        : {
            lock: {
              holder: present.holder,
              generation: present.generation,
              box: random.bytes(80),
              secret: random.bytes(72),
            },
          };
    const members = membersOf(stream, state, this.#space);
    const reached = random.chance(0.1) ? members.slice(1) : members;
    const wraps = reached.map((id): [AccountId, number, Uint8Array] => [
      id,
      accountOf(this.#space, id)!.keyring.generation,
      random.bytes(80),
    ]);
    const number = lastEpochNumber(state) + (random.chance(0.8) ? 1 : random.below(3));
    return { stream, kind: 'epoch', body: { number, wraps, ...lock } };
  }

  #revoke(writer: Member): Made {
    const { random } = this;
    const own = this.devices.filter(({ account }) => account === writer.account);
    const gone = random.pick(random.chance(0.9) ? own : this.devices);
    const active = new Set(activeDevices(this.#space, writer.account));
    const rest = own.filter((one) => active.has(one.id) && one !== gone);
    const fresh = Keyring.create(writer.keyring.generation + 1, random.bytes);
    const password = accountOf(this.#space, writer.account)?.password ?? null;
    const body = {
      ...writer.revocation(gone.id, random.chance(0.9) ? rest : own, fresh),
      password: password === null ? null : sealTo(password, fresh.secret, random.bytes),
    };
    const after = (): void => own.forEach((one) => (one.keyring = fresh));
    return { stream: 'space', kind: 'revoke', body, after };
  }

  #recover(writer: Member): Made {
    const { random } = this;
    const own = this.devices.filter(({ account }) => account === writer.account);
    const active = new Set(activeDevices(this.#space, writer.account));
    const rest = own.filter((one) => active.has(one.id) || one === writer);
    const fresh = Keyring.create(writer.keyring.generation + 1, random.bytes);
    const body = {
      account: writer.account,
      code: random.chance(0.9) ? CODE : 'sesam',
      device: writer.deviceKeys,
      keyring: fresh.public,
      wraps: rest.map((one) => [one.id, sealTo(one.sealing.public, fresh.secret, random.bytes)]),
      password: wrapForPassword(fresh, EXPORT, random.bytes),
    };
    const after = (): void => own.forEach((one) => (one.keyring = fresh));
    return { stream: 'space', kind: 'recover', body, after };
  }
}
