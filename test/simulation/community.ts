/**
 * What else people do in the simulation: rooms, open and private, and who is in them; edits, removals
 * and reactions; read marks; groups and codes. Whether it fits or not: it is judged in the end.
 */
import assert from 'node:assert/strict';
import { codeKey, redeem } from '../../lib/crdt/codes.ts';
import type { AccountId, EntryId, RoomId } from '../../lib/crdt/keys.ts';
import type { LogStore } from '../../lib/crdt/log-store.ts';
import type { RoomRecord } from '../../lib/crdt/records.ts';
import { isEncryptedRoom, lockOf, roomOf } from '../../lib/crdt/rooms.ts';
import {
  accountStream,
  placeOfStream,
  roomStream,
  type StreamName,
} from '../../lib/crdt/stream.ts';
import type { Client } from '../../lib/node/client/client.ts';
import type { Home } from '../../lib/node/client/home.ts';
import type { Random } from './random.ts';

/** Texts of messages that are edited and removed: they are not counted among what was said. */
const CHANGED = 'changed';

export class Doings {
  readonly #random: Random;
  #number = 0;
  /** All texts that a message has had, as far as they were given it here. */
  readonly #texts = new Map<EntryId, string[]>();
  /** Texts of messages that were removed by those who wrote them. */
  readonly removed = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Somebody does anything at all. */
  do(client: Client): void {
    const { home } = client;
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.12) this.#makeRoom(home);
    else if (dice < 0.3) this.#comeOrGo(home);
    else if (dice < 0.42) this.#admitOrPutOut(home);
    else if (dice < 0.55) this.#sayChangeable(home);
    else if (dice < 0.85) void this.#change(home);
    else if (dice < 0.92) this.#read(home);
    else this.#administer(home);
  }

  /** Rooms in which somebody may speak, as far as it is known to them. */
  static placesOf(home: Home): StreamName[] {
    const places: StreamName[] = [];
    for (const [id] of home.space.entries<RoomRecord>('room')) {
      const room = id as RoomId;
      const stream = roomStream(room);
      const members = home.audience.members(room);
      if (members?.includes(home.account) === true) places.push(stream);
    }
    return places;
  }

  #act(home: Home, stream: StreamName, kind: string, body: unknown): void {
    home.conversations.act(stream, kind, body).then(
      () => home.outbox.flush(),
      () => undefined,
    );
  }

  #rooms(home: Home, isWanted: (room: RoomId, record: RoomRecord) => boolean): RoomId[] {
    return [...home.space.entries<RoomRecord>('room')]
      .filter(([id, record]) => isWanted(id as RoomId, record))
      .map(([id]) => id as RoomId);
  }

  #pick(rooms: readonly RoomId[]): RoomId | undefined {
    return rooms.length === 0 ? undefined : this.#random.pick(rooms);
  }

  #makeRoom(home: Home): void {
    const random = this.#random;
    const all = this.#rooms(home, (_id, { lifetime }) => lifetime === 'permanent');
    if (all.length > 12) {
      const room = random.pick(all);
      if (random.chance(0.5)) this.#act(home, 'space', 'removeroom', { room });
      else this.#act(home, 'space', 'updateroom', { room, name: `room${++this.#number}` });
      return;
    }
    const isPrivate = random.chance(0.4);
    const parent = random.chance(0.4) ? this.#pick(all) : undefined;
    const name = `room${++this.#number}`;
    const body = { name, private: isPrivate, ...(parent === undefined ? {} : { parent }) };
    this.#act(home, 'space', 'room', body);
  }

  #comeOrGo(home: Home): void {
    const random = this.#random;
    const room = this.#pick(this.#rooms(home, (_id, { lifetime }) => lifetime !== 'builtin'));
    if (room === undefined) return;
    const isIn = home.audience.members(room)?.includes(home.account) === true;
    if (!isEncryptedRoom(home.space, room))
      this.#act(home, 'space', isIn ? 'leave' : 'join', { room });
    else if (isIn && random.chance(0.3)) this.#act(home, roomStream(room), 'leave', {});
    else if (roomOf(home.space, room)?.owner === home.account)
      this.#act(home, roomStream(room), 'join', { by: { type: 'owner' } });
  }

  #admitOrPutOut(home: Home): void {
    const random = this.#random;
    const room = this.#pick(
      this.#rooms(
        home,
        // Of those with a lock whoever is put out knows more than can be taken back so simply.
        (id, { owner }) =>
          owner === home.account &&
          isEncryptedRoom(home.space, id) &&
          lockOf(home.space, id) === undefined,
      ),
    );
    if (room === undefined) return;
    const others = home.names().map((name) => home.named(name));
    const account: AccountId = random.pick(others);
    const isIn = home.audience.members(room)?.includes(account) === true;
    const body = isIn ? { add: [], remove: [account] } : { add: [account], remove: [] };
    this.#act(home, roomStream(room), 'members', body);
  }

  #sayChangeable(home: Home): void {
    const places = Doings.placesOf(home);
    const stream = this.#random.pick([roomStream('lobby'), ...places]);
    const text = this.#newText();
    home.conversations.say(stream, text).then(
      ({ id }) => {
        this.#texts.set(id, [text]);
        home.outbox.flush();
      },
      () => undefined,
    );
  }

  /** One that is not a part of any other. */
  #newText(): string {
    return `${CHANGED} <${++this.#number}>`;
  }

  async #change(home: Home): Promise<void> {
    const random = this.#random;
    const places = Doings.placesOf(home);
    const stream = random.pick([roomStream('lobby'), ...places]);
    const dice = random.next();
    const text = this.#newText();
    try {
      const messages = await home.conversations.newest(stream, 20);
      const fit = messages.filter((one) => one.state === 'held' && one.text.startsWith(CHANGED));
      const [message] = fit.slice(random.below(Math.max(1, fit.length)));
      if (message === undefined) return;
      const { id } = message;
      // Somebody else's is refused.
      if (dice < 0.4) {
        const edit = await home.conversations.edit(stream, id, text, false);
        home.outbox.flush();
        if ((await home.outbox.answer(edit.id)) === 'held' && isOwn(home, id))
          this.#texts.get(id)?.push(text);
      } else if (dice < 0.6) await this.#remove(home, stream, id);
      else await home.conversations.react(stream, id, '👍', dice < 0.85);
      home.outbox.flush();
    } catch {
      // It was put out, or has crashed meanwhile.
    }
  }

  async #remove(home: Home, stream: StreamName, id: EntryId): Promise<void> {
    const { conversations, outbox } = home;
    const texts = this.#texts.get(id);
    const { id: removal } = await conversations.remove(stream, id, false);
    outbox.flush();
    if ((await outbox.answer(removal)) === 'held' && isOwn(home, id))
      for (const text of texts ?? []) this.removed.add(text);
  }

  #read(home: Home): void {
    const stream = this.#random.pick([roomStream('lobby'), ...Doings.placesOf(home)]);
    const until = home.replica.log.headOf(stream).length;
    this.#act(home, accountStream(home.account), 'read', { stream, until, tell: true });
  }

  #administer(home: Home): void {
    const random = this.#random;
    const group = `group${random.below(3)}`;
    const dice = random.next();
    const code = `CODE-${random.below(20)}`;
    if (dice < 0.2)
      this.#act(home, 'space', 'creategroup', { name: group, level: random.below(101) });
    else if (dice < 0.4)
      this.#act(home, 'space', 'updategroup', { name: group, add: ['sendMessage'], remove: [] });
    else if (dice < 0.5) {
      const account = home.named(random.pick(home.names()));
      this.#act(home, 'space', 'setgroup', { account, group: 'user' });
    } else if (dice < 0.8) {
      const verifier = codeKey(code).public;
      const body = { purpose: 'elevate', group: 'user', verifier, uses: 1, expires: 1e15 };
      this.#act(home, 'space', 'code', body);
    } else {
      const { server, device } = home.replica;
      this.#act(home, 'space', 'elevate', redeem(code, server, device, 'space'));
    }
  }
}

/** Whether a message is by this very device: what others do about it counts for nothing. */
function isOwn({ conversations, replica }: Home, id: EntryId): boolean {
  return conversations.reading.find(id)?.entry.device === replica.device;
}

/** Whether a device is to hold all there is of a stream: of an encrypted room its members do. */
export function isCurrent(home: Home, stream: StreamName, server: LogStore): boolean {
  const place = placeOfStream(stream);
  if (place.type !== 'room') return true;
  if (roomOf(home.space, place.room) === undefined) return false;
  if (!isEncryptedRoom(home.space, place.room)) return true;
  return server.record(stream, 'member', home.account) === true;
}

/** Everybody reads the same of everything that is open, with all that was done about it. */
export async function checkReadings(
  clients: readonly { readonly name: string; readonly client: Client | undefined }[],
  server: LogStore,
  seed: string,
): Promise<void> {
  const first = new Map<StreamName, string>();
  for (const { client, name } of clients) {
    const { home } = client!;
    for (const stream of await home.replica.log.names()) {
      const place = placeOfStream(stream);
      if (place.type !== 'room' || isEncryptedRoom(home.space, place.room)) continue;
      if (roomOf(home.space, place.room) === undefined) continue;
      const messages = await home.conversations.newest(stream, 1e6);
      // Those from before somebody came need not be there.
      const held = messages.filter(
        ({ state, text }) => state === 'held' && text.startsWith(CHANGED),
      );
      // Not by their ids: those that had to be made anew have kept their first one for their authors.
      const seen = JSON.stringify(held.map(({ text, reactions }) => [text, reactions]));
      const known = first.get(stream);
      if (known === undefined) first.set(stream, seen);
      else assert.equal(seen, known, `${seed}: ${name} reads ${stream} otherwise`);
      for (const message of messages)
        if (message.removed === true) {
          const place = server.find(message.id);
          const item = place === undefined ? undefined : server.item(stream, place.position);
          assert.ok(
            item?.type !== 'entry' || item.entry.body === undefined,
            `${seed}: a removed message of ${stream} is still at the server`,
          );
        }
    }
  }
}
