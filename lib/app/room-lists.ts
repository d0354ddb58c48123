/** Lists of rooms: what there is, who is where, and how it lies in each other. */
import type { AccountId, RoomId } from '../crdt/keys.ts';
import { accountOf, presentAccount, type RoomRecord } from '../crdt/records.ts';
import { levelOf } from '../crdt/rights.ts';
import { isEncryptedRoom, lockOf } from '../crdt/rooms.ts';
import type { Reader } from '../crdt/state.ts';
import { LOBBY } from '../crdt/stream.ts';
import type { Client } from '../node/client/client.ts';
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

interface Found {
  readonly id: RoomId;
  readonly record: RoomRecord;
  readonly view: RoomView;
  readonly children: readonly Found[];
}

/** Accounts in the order of their names; asked for often, and seldom another. */
const ranks = new WeakMap<Reader, { stamp: number; rank: ReadonlyMap<AccountId, number> }>();

function rankOf(space: Reader): ReadonlyMap<AccountId, number> {
  const stamp = space.stamp('account');
  const known = ranks.get(space);
  if (known?.stamp === stamp) return known.rank;
  const keyed: [string, AccountId][] = [];
  for (const [id] of space.entries('account')) {
    const account = presentAccount(space, id as AccountId);
    if (account !== undefined) keyed.push([fold(account.name), id as AccountId]);
  }
  keyed.sort(([a], [b]) => (a < b ? -1 : 1));
  const rank = new Map(keyed.map(([, id], at) => [id, at]));
  ranks.set(space, { stamp, rank });
  return rank;
}

/** All rooms but conferences, in the order in which people see them. */
class Lister {
  readonly #client: Client;
  readonly #entered: (room: RoomId) => boolean;
  readonly #children = new Map<RoomId | undefined, [RoomId, RoomRecord][]>();

  constructor({ client, situation }: HandlerContext) {
    this.#client = client;
    this.#entered = (room) => situation.isIn(room);
    for (const [id, record] of client.home.space.entries<RoomRecord>('room')) {
      if (record.lifetime === 'conference') continue;
      const siblings = this.#children.get(record.parent);
      if (siblings === undefined) this.#children.set(record.parent, [[id as RoomId, record]]);
      else siblings.push([id as RoomId, record]);
    }
  }

  /** Rooms that lie in a room; undefined: at the top. */
  async within(parent: RoomId | undefined, above = ''): Promise<Found[]> {
    const keyed = (this.#children.get(parent) ?? []).map(([id, record]) => ({
      id,
      record,
      // The lobby is everybody's beginning.
      position: id === LOBBY ? -1 : (record.position ?? Infinity),
      key: fold(record.name),
    }));
    keyed.sort((a, b) =>
      a.position === b.position ? (a.key < b.key ? -1 : 1) : a.position - b.position,
    );
    const found: Found[] = [];
    for (const { id, record } of keyed) {
      const path = above + record.name;
      const view = await this.#view(id, record, path);
      found.push({ id, record, view, children: await this.within(id, `${path}/`) });
    }
    return found;
  }

  async #view(id: RoomId, record: RoomRecord, path: string): Promise<RoomView> {
    const { home, rooms, conferences } = this.#client;
    const { space } = home;
    const isClosed = isEncryptedRoom(space, id);
    const joined = await rooms.isMember(id);
    const lock = isClosed ? lockOf(space, id) : undefined;
    return {
      room: path,
      ...(isClosed && !joined ? {} : { members: await this.#members(id) }),
      joined,
      entered: this.#entered(id),
      encrypted: isClosed,
      password: lock?.password === true && !lock.retired,
      media: record.media ?? 'both',
      live: conferences.isLive(id),
      owner: record.owner === null ? null : home.nameOf(record.owner),
      lifetime: record.lifetime,
    };
  }

  async #members(room: RoomId): Promise<string[]> {
    const { home, rooms } = this.#client;
    const { space } = home;
    const rank = rankOf(space);
    const members = await rooms.members(room);
    const accounts =
      members === undefined
        ? [...rank.keys()]
        : [...members].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
    return accounts.map((account) => accountOf(space, account)?.name ?? '?');
  }
}

function flat(found: readonly Found[]): RoomView[] {
  return found.flatMap(({ view, children }) => [view, ...flat(children)]);
}

function nodeOf({ record, view, children }: Found): RoomNode {
  const { room, members = [], ...facts } = view;
  return { name: record.name, path: room, members, ...facts, children: children.map(nodeOf) };
}

const rooms: Handler = async (_args, context) => ({
  rooms: flat(await new Lister(context).within(undefined)),
});

const structure: Handler = async (_args, context) => {
  const { home } = context.client;
  const found = await new Lister(context).within(undefined);
  const levels: Standing[] = [];
  for (const account of rankOf(home.space).keys()) {
    const record = accountOf(home.space, account);
    if (record === undefined) continue;
    const { name: user, group } = record;
    levels.push({ user, group, level: levelOf(home.space, account) });
  }
  return {
    structure: { name: home.serverName, path: '', members: [], children: found.map(nodeOf) },
    levels,
  };
};

export const LISTING_HANDLERS: Readonly<Record<string, Handler>> = { rooms, structure };
