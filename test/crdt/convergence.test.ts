/**
 * Whatever happens in a community, its server and all replicas come to the same states: those that
 * were there all the time, those that have one stream before the other, and those that began from a
 * snapshot. Random people with random devices do random things, some of them wrong.
 */
import assert from 'node:assert/strict';
import { toHex } from '../../lib/crdt/bytes.ts';
import { currentEpoch, membersOf } from '../../lib/crdt/conversation.ts';
import { encodeEntry, type Entry } from '../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../lib/crdt/keyring.ts';
import { sealTo, type AccountId } from '../../lib/crdt/keys.ts';
import { accountOf, activeDevices, type RoomRecord } from '../../lib/crdt/records.ts';
import { openBatch } from '../../lib/crdt/seal.ts';
import type { Outcome } from '../../lib/crdt/sealer.ts';
import { codeVerifier } from '../../lib/crdt/space.ts';
import type { State } from '../../lib/crdt/state.ts';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  roomStream,
  type StreamName,
} from '../../lib/crdt/stream.ts';
import { verifyEntry } from '../../lib/crdt/entry.ts';
import { Random } from '../simulation/random.ts';
import { Member, SealedCommunity, wireOf } from '../support/community.ts';
import { ReplicaBench, snapshotOf } from '../support/replicas.ts';

const KEY = new Uint8Array(32).fill(3);
const CODE = 'sesame';

class Life {
  readonly random: Random;
  readonly community: SealedCommunity;
  /** All devices that ever were. */
  readonly devices: Member[] = [];
  readonly outcomes = new Map<string, number>();
  readonly sent: Entry[] = [];
  #space!: State;
  #names = 0;

  constructor(seed: number, community: SealedCommunity) {
    this.random = new Random(seed);
    this.community = community;
  }

  async begin(): Promise<void> {
    for (const name of ['alice', 'bob', 'carol'])
      this.devices.push(await this.community.join(name));
    const admin = { account: this.devices[0]!.account, group: 'admin' };
    await this.community.seal(this.community.server.write('space', 'setgroup', admin));
    this.#space = (await this.community.log.open('space')).state;
  }

  /** Several devices do something at the same time. */
  async round(): Promise<void> {
    const { random } = this;
    const writers = new Set(Array.from({ length: 4 }, () => random.pick(this.devices)));
    await Promise.all([...writers].map(async (writer) => this.#act(writer)));
  }

  async #act(writer: Member): Promise<void> {
    const { random } = this;
    const dice = random.next();
    if (dice < 0.05) return this.#enrol(writer);
    if (dice < 0.07) return this.#arrive();
    if (dice < 0.12 && this.sent.length > 0) {
      await this.#submit(random.pick(this.sent));
      return;
    }
    const made = await this.#make(writer);
    if (made === undefined) return;
    const [stream, kind, body, after] = made;
    const wrong = random.chance(0.06)
      ? random.pick([{ seq: 1 }, { seq: 99 }, { previous: null }, { clock: 2 ** 50 }])
      : {};
    const entry = writer.forge(stream, kind, body, wrong);
    const outcome = await this.#submit(entry);
    if (outcome.type !== 'rejected') writer.rewind(stream, entry);
    if (outcome.type === 'sealed') after?.();
  }

  async #submit(entry: Entry): Promise<Outcome> {
    const outcome = await this.community.submit(entry);
    const label = `${outcome.type === 'sealed' ? entry.kind : outcome.code}`;
    this.outcomes.set(label, (this.outcomes.get(label) ?? 0) + 1);
    if (outcome.type === 'sealed') this.sent.push(entry);
    return outcome;
  }

  async #arrive(): Promise<void> {
    const name = this.random.pick(['ALICE', `user${this.#names++}`]);
    const member = new Member(this.community.server.id, this.random.bytes, name);
    const outcome = await this.#submit(member.signup());
    if (outcome.type === 'sealed') this.devices.push(member);
  }

  async #enrol(owner: Member): Promise<void> {
    const device = owner.device();
    const outcome = await this.#submit(device.enrolment());
    if (outcome.type === 'sealed') this.devices.push(device);
  }

  async #state(stream: StreamName): Promise<State> {
    return (await this.community.log.open(stream)).state;
  }

  #members(accounts: readonly AccountId[]): Member[] {
    return accounts.map((id) => this.devices.find(({ account }) => account === id)!);
  }

  /** What a device does: stream, kind and body, and what is so once that is sealed. */
  async #make(writer: Member): Promise<[StreamName, string, unknown, (() => void)?] | undefined> {
    const { random } = this;
    const space = this.#space;
    const other = random.pick(this.devices);
    const rooms = [...space.entries<RoomRecord>('room')].map(([id]) => roomStream(id));
    const pair =
      other.account === writer.account ? undefined : pairStream(writer.account, other.account);
    const stream = random.chance(0.5) && pair !== undefined ? pair : random.pick(rooms);
    const dice = random.next();
    if (dice < 0.2) return [random.pick([LOBBY_STREAM, ...rooms]), 'say', { text: `${dice}` }];
    if (dice < 0.6) return this.#speak(writer, stream);
    if (dice < 0.68)
      return [
        accountStream(writer.account),
        'block',
        { account: other.account, blocked: random.chance(0.7) },
      ];
    if (dice < 0.74) return this.#revoke(writer);
    if (dice < 0.78)
      return ['space', 'room', { name: `room${random.below(12)}`, private: random.chance(0.7) }];
    if (dice < 0.86) {
      const [add, remove] = [[other.account], [random.pick(this.devices).account]];
      return [
        random.pick(rooms),
        'members',
        random.chance(0.7) ? { add, remove: [] } : { add, remove },
      ];
    }
    if (dice < 0.9) {
      const group = random.pick(['admin', 'user', 'mute', 'helper', 'none']);
      return ['space', 'setgroup', { account: other.account, group }];
    }
    if (dice < 0.93)
      return [
        'space',
        'password',
        { password: wrapForPassword(writer.keyring, KEY, random.bytes) },
      ];
    if (dice < 0.96)
      return ['space', 'reset', { account: other.account, verifier: codeVerifier(CODE) }];
    return this.#recover(writer);
  }

  /** Opens a key epoch, a wrong one at times, or says something under one. */
  async #speak(writer: Member, stream: StreamName): Promise<[StreamName, string, unknown]> {
    const { random } = this;
    const state = await this.#state(stream);
    const current = currentEpoch(stream, state, this.#space);
    const epochs = [...state.entries<{ number: number }>('epoch')];
    const last = Math.max(0, ...epochs.map(([, { number }]) => number));
    if (current === undefined || random.chance(0.2)) {
      const members = this.#members(membersOf(stream, state));
      const wrong = random.chance(0.1) ? members.slice(1) : members;
      return [stream, 'epoch', writer.epoch(wrong, last + random.below(3), KEY)];
    }
    const epoch = random.chance(0.8) ? current.id : random.pick(epochs)[0];
    return [stream, 'sealed', { epoch, box: random.bytes(20) }];
  }

  #revoke(writer: Member): [StreamName, string, unknown, () => void] {
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
    return ['space', 'revoke', body, () => own.forEach((one) => (one.keyring = fresh))];
  }

  #recover(writer: Member): [StreamName, string, unknown, () => void] {
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
      password: wrapForPassword(fresh, KEY, random.bytes),
    };
    return ['space', 'recover', body, () => own.forEach((one) => (one.keyring = fresh))];
  }
}

describe('a community and its replicas', function () {
  this.timeout(60_000);
  const total = new Map<string, number>();

  for (let seed = 3; seed <= 8; seed++)
    it(`come to the same states: seed ${seed}`, async () => {
      const community = await SealedCommunity.found(seed);
      const life = new Life(seed, community);
      await life.begin();
      for (let round = 0; round < 110; round++) await life.round();
      for (const [label, count] of life.outcomes) total.set(label, (total.get(label) ?? 0) + count);

      const { log, batches } = community;
      for (const batch of batches)
        openBatch(batch.seal.bytes, wireOf(batch).items, community.server.id, verifyEntry);
      const device = life.devices[0]!;

      const live = await ReplicaBench.open(community, device);
      await live.follow(batches);

      const spaceFirst = await ReplicaBench.open(community, device);
      await spaceFirst.follow(community.of('space'));
      for (const name of await log.names())
        if (name !== 'space') await spaceFirst.follow(community.of(name));

      const early = await ReplicaBench.open(community, device);
      const half = Math.floor(batches.length / 2);
      await early.follow(batches.slice(0, half));
      const late = await ReplicaBench.open(community, device);
      // The space first: who wrote the rest is in it.
      const others = (await log.names()).filter((name) => name !== 'space');
      for (const bench of [early, late])
        for (const name of ['space' as const, ...others]) {
          if (!bench.replica.takesSnapshot(name)) {
            // Who knows the space already follows it to the end.
            const { length } = bench.replica.log.headOf(name);
            await bench.follow(community.of(name).filter(({ seal }) => seal.first >= length));
            continue;
          }
          const { seal, records } = await snapshotOf(community, name);
          // Records in any order.
          await bench.replica.adopt(seal, records.toReversed());
          await bench.replica.ingestOlder(name, community.of(name).toReversed().map(wireOf));
        }

      for (const [what, { replica }] of Object.entries({ live, spaceFirst, early, late }))
        for (const name of await log.names()) {
          const [mine, theirs] = [await replica.log.open(name), await log.open(name)];
          const where = `${what}: ${name}`;
          assert.equal(mine.head.seal, theirs.head.seal, where);
          assert.deepEqual(mine.head.have, [[0, theirs.head.length]], where);
          assert.equal(toHex(mine.state.rehash()), toHex(theirs.state.hash()), where);
          assert.ok(await replica.verifyState(name), where);
          for (let at = 0; at < theirs.head.length; at++) {
            assert.equal(
              toHex(replica.log.item(name, at)!.bytes),
              toHex(log.item(name, at)!.bytes),
            );
            assert.equal(replica.isVoid(name, at), false, `${where} ${at}`);
          }
        }

      // What was sealed gets the same answer for ever, from a server that has been restarted too.
      await community.restart();
      for (const entry of life.sent.slice(0, 40)) {
        const outcome = await community.sealer.submit({ entry, bytes: encodeEntry(entry) });
        const place = community.log.find(entry.id)!;
        assert.deepEqual(outcome, { type: 'sealed', position: place.position });
      }
    });

  after(() => {
    // All that there is to do was done, and all that can be refused was refused, at least once.
    for (const label of 'say epoch sealed block revoke room members setgroup password reset recover device account'.split(
      ' ',
    ))
      assert.ok((total.get(label) ?? 0) > 0, `no ${label} in ${JSON.stringify([...total])}`);
    for (const label of 'DENIED STALE_KEY REVOKED OUT_OF_ORDER WAITING BAD_ENTRY NAME_TAKEN ALREADY BAD_CODE'.split(
      ' ',
    ))
      assert.ok((total.get(label) ?? 0) > 0, `no ${label} in ${JSON.stringify([...total])}`);
  });
});
