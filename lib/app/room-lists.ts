/** Lists of rooms: what there is, who is where, and how it lies in each other. */
import type { AccountId, RoomId } from '../crdt/keys.ts';
import {
  presentAccount,
  type AccountRecord,
  type RoomLock,
  type RoomRecord,
} from '../crdt/records.ts';
import { levelOf } from '../crdt/rights.ts';
import { isEncryptedRoom, isOpenMember } from '../crdt/rooms.ts';
import type { Reader } from '../crdt/state.ts';
import { LOBBY, roomStream, type StreamName } from '../crdt/stream.ts';
import type { Calls } from '../node/client/calls.ts';
import type { Home } from '../node/client/home.ts';
import { fold } from '../text.ts';
import type { Handler, HandlerContext } from './handling.ts';

/** A room as lists show it. */
export interface RoomView {
  /** Path. */
  readonly room: string;
  /** Absent where it is not known here: of closed rooms in which one is not. */
  readonly members?: readonly string[];
  readonly joined: boolean;
  readonly entered: boolean;
  readonly encrypted: boolean;
  /** A password opens it: its own, or that of the room it lies in. */
  readonly password: boolean;
  readonly media: 'text' | 'voice' | 'both';
  /** Somebody is in its call, or in its conference, as far as it is known here. */
  readonly live: boolean;
  readonly owner: string | null;
  readonly lifetime: RoomRecord['lifetime'];
}

/** A room in a list of them. */
export interface RoomListing extends RoomView {
  /** Messages of others that have not been read; of rooms in which one is. */
  readonly unread?: number;
  /** Those of them that name this account. */
  readonly mentions?: number;
  /** There are more than were counted. */
  readonly more?: true;
}

/** A room in the tree; the server is its root, with an empty path and nobody in it. */
export interface RoomNode extends Omit<RoomView, 'room' | 'members'> {
  readonly name: string;
  readonly path: string;
  readonly members: readonly string[];
  readonly children: readonly RoomNode[];
}

/** Where people stand: those of one group. */
export interface Standing {
  /** One that there is not allows nothing. */
  readonly group: string;
  readonly level: number;
  readonly users: readonly string[];
}

/** What lists show beside a name. */
interface Shown {
  readonly user: string;
  readonly display: string;
}

/** Everybody, in the order of their names. What is here is never changed, since it is given out. */
interface People {
  /** By what it was made; see `Reader.stamp`. */
  readonly stamps: string;
  readonly rank: ReadonlyMap<AccountId, number>;
  readonly names: readonly string[];
  /** The highest first. */
  readonly standings: readonly Standing[];
  readonly displays: readonly Shown[];
  /** Who is in open rooms, as far as it has been asked. */
  readonly members: Map<RoomId, readonly string[]>;
}

const known = new WeakMap<Reader, People>();

/** Asked for often, and seldom otherwise than before. */
function peopleOf(space: Reader): People {
  const stamps = ['account', 'group', 'member'].map((table) => space.stamp(table)).join(' ');
  const before = known.get(space);
  if (before?.stamps === stamps) return before;
  const keyed: { key: string; id: AccountId; record: AccountRecord }[] = [];
  for (const [id] of space.entries('account')) {
    const account = id as AccountId;
    const record = presentAccount(space, account);
    if (record !== undefined) keyed.push({ key: fold(record.name), id: account, record });
  }
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const groups = new Map<string, Standing & { users: string[] }>();
  for (const { id, record } of keyed) {
    const { name: user, group } = record;
    const standing = groups.get(group);
    if (standing !== undefined) standing.users.push(user);
    else groups.set(group, { group, level: levelOf(space, id), users: [user] });
  }
  const people: People = {
    stamps,
    rank: new Map(keyed.map(({ id }, at) => [id, at])),
    names: Object.freeze(keyed.map(({ record }) => record.name)),
    standings: frozen([...groups.values()].sort((a, b) => b.level - a.level)),
    displays: frozen(
      keyed.flatMap(({ record: { name: user, display } }) =>
        display === undefined ? [] : [{ user, display }],
      ),
    ),
    members: new Map(),
  };
  known.set(space, people);
  return people;
}

/** The same, which cannot be changed any more: what was found harmless once is not looked at again. */
function frozen<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object') frozen(item as object);
  return Object.freeze(value);
}

/** Names of accounts that are there, in their order. */
function namesIn({ rank, names }: People, accounts: readonly AccountId[]): readonly string[] {
  const ranks: number[] = [];
  for (const account of accounts) {
    const at = rank.get(account);
    if (at !== undefined) ranks.push(at);
  }
  return Object.freeze([...Uint32Array.from(ranks).sort()].map((at) => names[at]!));
}

interface Found {
  readonly id: RoomId;
  readonly name: string;
  readonly view: RoomView;
  readonly children: readonly Found[];
}

/** What a room is because of those above it. */
interface Above {
  readonly path: string;
  readonly isClosed: boolean;
  readonly lock: RoomLock | undefined;
}

/** Rooms in whose calls somebody is: this device, or others as far as they are told of here. */
function calledIn({ current, rooms }: Calls): ReadonlySet<RoomId> {
  return new Set([current, ...rooms].flatMap((call) => call?.room ?? []));
}

/** All rooms but conferences, in the order in which people see them. */
class Lister {
  readonly #context: HandlerContext;
  readonly #people: People;
  readonly #called: ReadonlySet<RoomId>;
  readonly #children = new Map<RoomId | undefined, [RoomId, RoomRecord][]>();

  private constructor(context: HandlerContext) {
    this.#context = context;
    const { home, calling } = context.client;
    const { space } = home;
    this.#people = peopleOf(space);
    this.#called = calledIn(calling.calls);
    for (const [id, record] of space.entries<RoomRecord>('room')) {
      if (record.lifetime === 'conference') continue;
      const siblings = this.#children.get(record.parent);
      if (siblings === undefined) this.#children.set(record.parent, [[id as RoomId, record]]);
      else siblings.push([id as RoomId, record]);
    }
  }

  static async all(context: HandlerContext): Promise<Found[]> {
    const { home, calling } = context.client;
    const { replica, unread } = home;
    const { space, log } = replica;
    // Whoever has just come is told of calls a moment after all else.
    await calling.calls.known;
    // Who is in a closed room is told by its own stream.
    for (const [room, { lifetime }] of space.entries<RoomRecord>('room')) {
      const id = room as RoomId;
      if (lifetime === 'conference' || !isEncryptedRoom(space, id)) continue;
      if (unread.takesPart(roomStream(id))) await log.open(roomStream(id));
    }
    const none: Above = { path: '', isClosed: false, lock: undefined };
    return new Lister(context).#within(undefined, none);
  }

  #within(parent: RoomId | undefined, above: Above): Found[] {
    const siblings = this.#children.get(parent);
    if (siblings === undefined) return [];
    const keyed = siblings.map(([id, record]) => ({
      id,
      record,
      // The lobby is everybody's beginning.
      position: id === LOBBY ? -1 : (record.position ?? Infinity),
      key: fold(record.name),
    }));
    keyed.sort((a, b) => {
      if (a.position !== b.position) return a.position - b.position;
      return a.key < b.key ? -1 : 1;
    });
    return keyed.map(({ id, record }) => {
      const { name } = record;
      const here: Above = {
        path: above.path === '' ? name : `${above.path}/${name}`,
        isClosed: above.isClosed || record.private,
        lock: record.private ? record.lock : above.lock,
      };
      return { id, name, view: this.#view(id, record, here), children: this.#within(id, here) };
    });
  }

  #view(
    id: RoomId,
    { media = 'both', owner, lifetime }: RoomRecord,
    { path, isClosed, lock }: Above,
  ): RoomView {
    const { client, situation } = this.#context;
    const { home, conferences } = client;
    const joined = isClosed
      ? home.unread.takesPart(roomStream(id))
      : isOpenMember(home.space, id, home.account);
    return {
      room: path,
      ...(isClosed && !joined ? {} : { members: this.#members(id, isClosed) }),
      joined,
      entered: situation.isIn(id),
      encrypted: isClosed,
      password: lock?.password === true && !lock.retired,
      media,
      live: this.#called.has(id) || conferences.isLive(id),
      owner: owner === null ? null : home.nameOf(owner),
      lifetime,
    };
  }

  #members(room: RoomId, isClosed: boolean): readonly string[] {
    const people = this.#people;
    const before = isClosed ? undefined : people.members.get(room);
    if (before !== undefined) return before;
    const members = this.#context.client.home.audience.members(room);
    const names = members === undefined ? people.names : namesIn(people, members);
    if (!isClosed) people.members.set(room, names);
    return names;
  }
}

function flat(found: readonly Found[]): Found[] {
  return found.flatMap((one) => [one, ...flat(one.children)]);
}

function nodeOf({ name, view, children }: Found): RoomNode {
  const { room, members = [], ...facts } = view;
  return { name, path: room, members, ...facts, children: children.map(nodeOf) };
}

/** What waits to be read in a conversation. */
export async function unreadIn(
  { unread }: Home,
  stream: StreamName,
): Promise<Required<Pick<RoomListing, 'unread' | 'mentions'>> & Pick<RoomListing, 'more'>> {
  const { count, mentions, more } = await unread.of(stream);
  return { unread: count, mentions, ...(more ? { more } : {}) };
}

const rooms: Handler = async (_args, context) => {
  const { home } = context.client;
  const listed: RoomListing[] = [];
  for (const one of flat(await Lister.all(context)))
    listed.push({
      ...one.view,
      ...(one.view.joined ? await unreadIn(home, roomStream(one.id)) : {}),
    });
  return { rooms: listed };
};

const structure: Handler = async (_args, context) => {
  const { home } = context.client;
  const children = (await Lister.all(context)).map(nodeOf);
  const { standings, displays } = peopleOf(home.space);
  return {
    structure: { name: home.serverName, path: '', members: [], children },
    levels: standings,
    ...(displays.length === 0 ? {} : { displays }),
  };
};

export const LISTING_HANDLERS: Readonly<Record<string, Handler>> = { rooms, structure };
