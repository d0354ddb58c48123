/**
 * Rooms with passwords in the simulation: made, entered by whoever knows the password, given others,
 * left; and people put out of them, whose keys open nothing of what is said there from then on.
 */
import assert from 'node:assert/strict';
import { actionOf, type RoomAction } from '../../lib/crdt/bodies.ts';
import { conversationAction } from '../../lib/crdt/content.ts';
import { isMessage } from '../../lib/crdt/entry.ts';
import type { AccountId, RoomId, SealingKey } from '../../lib/crdt/keys.ts';
import type { LogStore } from '../../lib/crdt/log-store.ts';
import { deviceOf, type EpochRecord, type RoomRecord } from '../../lib/crdt/records.ts';
import { isEncryptedRoom, lockKeyOf, lockOf } from '../../lib/crdt/rooms.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import type { Reader } from '../../lib/crdt/state.ts';
import { placeOfStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { Client } from '../../lib/node/client/client.ts';
import type { Keystore } from '../../lib/node/keystore.ts';
import { Eavesdropper } from '../support/eavesdropper.ts';
import type { Attempts } from './attempts.ts';
import type { Random } from './random.ts';

export class LockedRooms {
  readonly #random: Random;
  readonly #attempts: Attempts;
  /** The password that a room was given last, as far as it is known. */
  readonly #passwords = new Map<RoomId, string>();
  #number = 0;

  constructor(random: Random, attempts: Attempts) {
    this.#random = random;
    this.#attempts = attempts;
  }

  /** Somebody does anything about a room that is entered by its password. */
  do(client: Client): void {
    const { rooms, home } = client;
    const random = this.#random;
    const { account, space } = home;
    const known = ([...space.entries<RoomRecord>('room')] as [RoomId, RoomRecord][]).filter(
      ([id, { lifetime }]) => lifetime === 'permanent' && lockOf(space, id) !== undefined,
    );
    const [id, record] = known.length === 0 ? [] : random.pick(known);
    const dice = random.next();
    const start = (what: string, run: () => Promise<unknown>): void =>
      this.#attempts.start(what, run);
    if (id === undefined || (dice < 0.12 && known.length < 6)) {
      const parent = id !== undefined && random.chance(0.4) ? { parent: id } : {};
      const name = `den${++this.#number}`;
      const password = `password ${this.#number}`;
      this.#attempts.startAlone(client, 'making a room with a password', async () => {
        const made = await rooms.create({ name, private: false, ...parent }, password);
        this.#passwords.set(made, password);
      });
    } else if (dice < 0.6) {
      const password = random.chance(0.95) ? this.#passwords.get(id) : 'a guess';
      start('entering a room by its password', () => rooms.join(id, password));
    } else if (dice < 0.75 && record?.owner === account) {
      const password = random.chance(0.8) ? `password ${++this.#number}` : undefined;
      this.#attempts.startAlone(client, 'giving a room another password', async () => {
        await rooms.setPassword(id, password);
        if (password !== undefined) this.#passwords.set(id, password);
      });
    } else if (dice < 0.8) {
      start('leaving a room with a password', () => rooms.leave(id));
    } else if (dice < 0.87) {
      const someone = home.named(random.pick(home.names()));
      start('letting somebody in', () => rooms.admit(id, someone));
    } else {
      const members = (home.audience.members(id) ?? []).filter((one) => one !== account);
      if (members.length === 0) return;
      const target = random.pick(members);
      this.#attempts.startAlone(client, 'putting somebody out', () => rooms.putOut(id, target));
    }
  }
}

/** Somebody who was put out of a room and has not come back. */
interface PutOut {
  readonly stream: StreamName;
  readonly account: AccountId;
  /** How many messages they may read at most: those said before. */
  readonly messages: number;
  /** The last generation of the room's lock at that time. */
  readonly generation: number;
}

/** Those who were put out of encrypted rooms, as the server's log has it. */
async function allPutOut(log: LogStore): Promise<PutOut[]> {
  const { state: space } = await log.open('space');
  const all: PutOut[] = [];
  for (const stream of await log.names()) {
    const place = placeOfStream(stream);
    if (place.type !== 'room' || !isEncryptedRoom(space, place.room)) continue;
    const { state } = await log.open(stream);
    const epochs = [...state.entries<EpochRecord>('epoch')].map(([, epoch]) => epoch);
    // Whoever is in the room above may come in again, and read what was said meanwhile.
    if (epochs.some(({ above }) => above !== undefined)) continue;
    const hasPassword = epochs.some(({ lock }) => lock !== undefined && lock.box !== null);
    const out = new Map<AccountId, Pick<PutOut, 'messages' | 'generation'>>();
    let messages = 0;
    let generation = 0;
    for await (const { item } of log.items(stream, 0, log.headOf(stream).length)) {
      if (item.type !== 'entry') continue;
      const { entry } = item;
      if (isMessage(entry) && conversationAction(entry)?.kind === 'sealed') messages++;
      const action = actionOf(entry, 'room') as RoomAction | undefined;
      const by = deviceOf(space, entry.device)?.account;
      if (action?.kind === 'epoch')
        generation = Math.max(generation, action.body.lock?.generation ?? 0);
      if (action?.kind === 'join' && by !== undefined) out.delete(by);
      // Whom the server takes out has left by themselves: the password is still theirs.
      if (action?.kind !== 'members' || (entry.device === entry.server && hasPassword)) continue;
      for (const account of action.body.add) out.delete(account);
      for (const account of action.body.remove) out.set(account, { messages, generation });
    }
    for (const [account, then] of out) all.push({ stream, account, ...then });
  }
  return all;
}

/** What somebody has to open things with. */
export interface KeyHolder {
  readonly keystore: Keystore;
  readonly yielded: readonly SealingKey[];
}

/** Whether somebody has proved a password that a room was given after they had been put out. */
function wasToldAgain(
  space: Reader,
  { stream, generation }: PutOut,
  holders: readonly KeyHolder[],
) {
  const place = placeOfStream(stream);
  const lock = place.type === 'room' ? lockOf(space, place.room) : undefined;
  if (lock === undefined || lock.generation <= generation) return false;
  const wrap = lockKeyOf(space, lock.holder, lock.generation)?.password?.wrap;
  return holders.some(({ yielded }) => yielded.some((key) => wrap && key.open(wrap)));
}

/** Most who are looked at in one run: to try all keys takes its time. */
const MOST_LOOKED = 2;

/** @returns how many were looked at */
export async function checkPutOut(
  holders: readonly KeyHolder[],
  log: LogStore,
  random: Random,
  seed: string,
): Promise<number> {
  const all = await allPutOut(log);
  const { state: space } = await log.open('space');
  let looked = 0;
  for (const one of all) {
    if (looked >= MOST_LOOKED || !random.chance(0.5)) continue;
    const { stream, account, messages } = one;
    const devices = holders.filter(({ keystore }) => keystore.read().account?.id === account);
    if (wasToldAgain(space, one, devices)) continue;
    looked++;
    for (const { keystore, yielded } of devices) {
      const store = await copyOf(log, stream);
      const eavesdropper = await Eavesdropper.with(store, keystore, yielded);
      const later = (await eavesdropper.reads(stream)).slice(messages);
      const read = later.filter((text) => text !== null);
      assert.deepEqual(read, [], `${seed}: ${account} was put out of ${stream} and reads on`);
    }
  }
  return looked;
}

/** A store with nothing but the space and one stream. */
async function copyOf({ store }: LogStore, stream: StreamName): Promise<typeof store> {
  const copy = new MemoryDisk().open();
  const isOf = (key: string): boolean =>
    ['space', stream].some((one) => key.slice(2) === one || key.slice(2).startsWith(`${one}!`));
  for await (const [key, value] of store.entries({ from: '!', until: '\u007f' }))
    if (isOf(key)) await copy.write([{ type: 'put', key, value }], { sync: true });
  return copy;
}
