/** Lists of rooms: what there is, who is where, and how it lies in each other. */
import type { AccountId, RoomId } from '../crdt/keys.ts';
import { presentAccount, type RoomLock, type RoomRecord } from '../crdt/records.ts';
import { levelOf } from '../crdt/rights.ts';
import type { Reader } from '../crdt/state.ts';
import { LOBBY } from '../crdt/stream.ts';
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
  /** Somebody is in a call there, as far as it is known here. */
  readonly live: boolean;
  readonly owner: string | null;
  readonly lifetime: RoomRecord['lifetime'];
}

/** A room in the tree; the server is its root, with an empty path and nobody in it. */
export interface RoomNode extends Omit<RoomView, 'room' | 'members'> {
  readonly name: string;
  readonly path: string;
  readonly members: readonly string[];
  readonly children: readonly RoomNode[];
}

/** Where somebody stands. */
export interface Standing {
  readonly user: string;
  /** One that there is not allows nothing. */
  readonly group: string;
  readonly level: number;
}

/** Everybody, in the order of their names. */
interface People {
  /** By what it was made; see `Reader.stamp`. */
  readonly stamps: string;
  readonly rank: ReadonlyMap<AccountId, number>;
  readonly names: readonly string[];
  readonly standings: readonly Standing[];
}

const known = new WeakMap<Reader, People>();

/** Asked for often, and seldom otherwise than before. */
function peopleOf(space: Reader): People {
  const stamps = `${space.stamp('account')} ${space.stamp('group')}`;
  const before = known.get(space);
  if (before?.stamps === stamps) return before;
  const keyed: { key: string; id: AccountId; standing: Standing }[] = [];
  for (const [id] of space.entries('account')) {
    const account = id as AccountId;
    const record = presentAccount(space, account);
    if (record === undefined) continue;
    const { name: user, group } = record;
    const standing = { user, group, level: levelOf(space, account) };
    keyed.push({ key: fold(user), id: account, standing });
  }
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const people: People = {
    stamps,
    rank: new Map(keyed.map(({ id }, at) => [id, at])),
    names: keyed.map(({ standing }) => standing.user),
    standings: keyed.map(({ standing }) => standing),
  };
  known.set(space, people);
  return people;
}

interface Found {
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

/** All rooms but conferences, in the order in which people see them. */
class Lister {
  readonly #context: HandlerContext;
  readonly #people: People;
  readonly #children = new Map<RoomId | undefined, [RoomId, RoomRecord][]>();

  constructor(context: HandlerContext) {
    this.#context = context;
    const { space } = context.client.home;
    this.#people = peopleOf(space);
    for (const [id, record] of space.entries<RoomRecord>('room')) {
      if (record.lifetime === 'conference') continue;
      const siblings = this.#children.get(record.parent);
      if (siblings === undefined) this.#children.set(record.parent, [[id as RoomId, record]]);
      else siblings.push([id as RoomId, record]);
    }
  }

  all(): Promise<Found[]> {
    return this.#within(undefined, { path: '', isClosed: false, lock: undefined });
  }

  async #within(parent: RoomId | undefined, above: Above): Promise<Found[]> {
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
    const found: Found[] = [];
    for (const { id, record } of keyed) {
      const { name } = record;
      const here: Above = {
        path: above.path === '' ? name : `${above.path}/${name}`,
        isClosed: above.isClosed || record.private,
        lock: record.private ? record.lock : above.lock,
      };
      const view = await this.#view(id, record, here);
      found.push({ name, view, children: await this.#within(id, here) });
    }
    return found;
  }

  async #view(
    id: RoomId,
    { media = 'both', owner, lifetime }: RoomRecord,
    { path, isClosed, lock }: Above,
  ): Promise<RoomView> {
    const { client, situation } = this.#context;
    const { home, rooms, conferences } = client;
    const joined = await rooms.isMember(id);
    return {
      room: path,
      ...(isClosed && !joined ? {} : { members: this.#members(id) }),
      joined,
      entered: situation.isIn(id),
      encrypted: isClosed,
      password: lock?.password === true && !lock.retired,
      media,
      live: conferences.isLive(id),
      owner: owner === null ? null : home.nameOf(owner),
      lifetime,
    };
  }

  #members(room: RoomId): readonly string[] {
    const { rank, names } = this.#people;
    const members = this.#context.client.home.audience.members(room);
    if (members === undefined) return names;
    const ranks: number[] = [];
    for (const account of members) {
      const at = rank.get(account);
      if (at !== undefined) ranks.push(at);
    }
    return ranks.sort((a, b) => a - b).map((at) => names[at]!);
  }
}

function flat(found: readonly Found[]): RoomView[] {
  return found.flatMap(({ view, children }) => [view, ...flat(children)]);
}

function nodeOf({ name, view, children }: Found): RoomNode {
  const { room, members = [], ...facts } = view;
  return { name, path: room, members, ...facts, children: children.map(nodeOf) };
}

const rooms: Handler = async (_args, context) => ({
  rooms: flat(await new Lister(context).all()),
});

const structure: Handler = async (_args, context) => {
  const { home } = context.client;
  const children = (await new Lister(context).all()).map(nodeOf);
  return {
    structure: { name: home.serverName, path: '', members: [], children },
    levels: peopleOf(home.space).standings,
  };
};

export const LISTING_HANDLERS: Readonly<Record<string, Handler>> = { rooms, structure };
