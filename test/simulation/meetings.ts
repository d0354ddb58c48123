/**
 * Conferences in the simulation: begun, joined from friends, renamed, handed on, left and ended by
 * people whose devices crash and are cut off meanwhile.
 */
import type { AccountId, RoomId } from '../../lib/crdt/keys.ts';
import type { LogStore } from '../../lib/crdt/log-store.ts';
import { accountOf, type RoomRecord } from '../../lib/crdt/records.ts';
import type { Reader } from '../../lib/crdt/state.ts';
import { LOBBY, roomStream } from '../../lib/crdt/stream.ts';
import type { Client } from '../../lib/node/client/client.ts';
import type { ConferenceListing, ConferenceTarget } from '../../lib/node/client/conferences.ts';
import { fold } from '../../lib/text.ts';
import type { Attempts } from './attempts.ts';
import type { Random } from './random.ts';

/** So few that they clash; two of them are the same to those who compare names. */
const NAMES = ['tea', 'Tea', 'standup', 'gossip'];
const PASSWORD = 'open sesame';

export class Meetings {
  readonly #random: Random;
  readonly #attempts: Attempts;

  constructor(random: Random, attempts: Attempts) {
    this.#random = random;
    this.#attempts = attempts;
  }

  /** Somebody does anything about a conference, whether it fits or not. */
  do(client: Client): void {
    const { conferences, rooms, home } = client;
    const random = this.#random;
    const name = random.pick(NAMES);
    const someone = home.named(random.pick(home.names()));
    const inSight = conferenceRooms(home.space).filter(([id]) => conferences.isLive(id));
    const own = inSight.filter(([, { owner }]) => owner === home.account);
    const isOwner = own.length > 0 && random.chance(0.8);
    const [id, record] =
      (inSight.length === 0 ? undefined : random.pick(isOwner ? own : inSight)) ?? [];
    const dice = random.next();
    const start = (what: string, run: () => Promise<unknown>): void =>
      this.#attempts.start(what, run);
    if (dice < 0.15 || (id === undefined && dice < 0.7)) {
      const password = random.chance(0.3) ? PASSWORD : undefined;
      this.#attempts.startAlone(client, 'beginning a conference', () =>
        conferences.create(name, password),
      );
    } else if (id === undefined || dice < 0.6) {
      const isFurther = random.chance(0.5);
      const [other, its] = (inSight.length === 0 ? undefined : random.pick(inSight)) ?? [];
      const target = this.#target({
        id: other,
        friend: its?.owner ?? someone,
        name: its?.name ?? name,
      });
      start('joining a conference', () => conferences.join(target, isFurther));
    } else if (dice < 0.66) {
      const which = random.chance(0.5) ? { name } : {};
      start('leaving a conference', () => conferences.leave(which));
    } else if (dice < 0.72) {
      start('joining by a password', () => conferences.joinByPassword(id, PASSWORD));
    } else if (dice < 0.8) {
      start('renaming a conference', () => conferences.rename(id, name));
    } else if (dice < 0.87) {
      start('handing on a conference', () => conferences.transfer(id, someone));
    } else if (dice < 0.93) {
      start('inviting', () => conferences.invite(id, someone));
    } else if (dice < 0.96) {
      start('putting out of a conference', () => rooms.putOut(id, someone));
    } else if (record?.owner === home.account) {
      start('ending a conference', () => conferences.end(id));
    }
  }

  /** A way to say which conference is meant. */
  #target({
    id,
    friend,
    name,
  }: {
    readonly id: RoomId | undefined;
    readonly friend: AccountId;
    readonly name: string;
  }): ConferenceTarget {
    const dice = this.#random.next();
    if (dice < 0.3 && id !== undefined) return { id };
    return dice < 0.8 ? { friend, ...(dice < 0.6 ? {} : { name }) } : { name };
  }
}

/** The rooms of conferences, as far as a log says. */
export function conferenceRooms(space: Pick<Reader, 'entries'>): [RoomId, RoomRecord][] {
  const rooms = [...space.entries<RoomRecord>('room')] as [RoomId, RoomRecord][];
  return rooms.filter(([, { lifetime }]) => lifetime === 'conference');
}

export interface Guest {
  readonly name: string;
  readonly client: Client;
}

/** What a device is told of the conferences there are. */
interface Seen extends Guest {
  readonly list: readonly ConferenceListing[];
}

/** What is wrong with what the server and all devices take for true; nothing once they agree. */
export async function whatIsWrong(guests: readonly Guest[], log: LogStore): Promise<string[]> {
  const seen = await Promise.all(
    guests.map(async (guest): Promise<Seen> => {
      const list = await guest.client.conferences.list();
      return { ...guest, list: list.filter(({ id }) => id !== LOBBY) };
    }),
  );
  const { state: space } = await log.open('space');
  const rooms = conferenceRooms(space);
  const wrong = seen.flatMap((one) => wrongWithView(one, new Set(rooms.map(([id]) => id))));
  for (const [id, record] of rooms) wrong.push(...(await wrongWithRoom(id, record, seen, log)));
  return wrong;
}

function wrongWithView({ name, client, list }: Seen, rooms: ReadonlySet<RoomId>): string[] {
  const wrong: string[] = [];
  const joined = list.filter(({ participants }) => participants.includes(name));
  const names = joined.map((one) => fold(one.name));
  if (new Set(names).size < names.length) wrong.push(`${name} is in two of ${names.join()}`);
  for (const { id } of list)
    if (!rooms.has(id)) wrong.push(`${name} is shown ${id}, which has no room`);
  for (const [id] of conferenceRooms(client.home.space)) {
    const isLive = list.some((one) => one.id === id);
    if (client.conferences.isLive(id) !== isLive)
      wrong.push(`${name} was told otherwise of ${id} than it is shown`);
  }
  return wrong;
}

async function wrongWithRoom(
  id: RoomId,
  record: RoomRecord,
  seen: readonly Seen[],
  log: LogStore,
): Promise<string[]> {
  const { state: space } = await log.open('space');
  const { state } = await log.open(roomStream(id));
  const nameOf = (account: string): string => accountOf(space, account as AccountId)?.name ?? '?';
  const members = [...state.entries('member')].map(([account]) => nameOf(account)).sort();
  const owner = record.owner === null ? undefined : nameOf(record.owner);
  const inside = seen.filter(({ name, list }) =>
    list.some((one) => one.id === id && one.participants.includes(name)),
  );
  if (inside.length === 0) return [`nobody is in ${id}`];
  const wrong: string[] = [];
  const expected = JSON.stringify([record.name, owner, 'active', members]);
  for (const { name, list } of inside) {
    const { participants, ...view } = list.find((one) => one.id === id)!;
    const shown = [view.name, view.owner, view.state, [...participants].sort()];
    if (JSON.stringify(shown) !== expected)
      wrong.push(`${name} is shown ${JSON.stringify(shown)}, the log says ${expected}`);
    if (!participants.includes(view.owner ?? '')) wrong.push(`the owner of ${id} is not in it`);
  }
  const names = new Set(inside.map(({ name }) => name));
  for (const member of members)
    if (!names.has(member)) wrong.push(`${member} is a member of ${id} and not in it`);
  return wrong;
}
