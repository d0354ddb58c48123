/**
 * Conferences as this device knows them: what the server has told of them, and the ways into them
 * and out of them. They live at the server; without it there are none.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { roomOf } from '../../crdt/rooms.ts';
import { LOBBY } from '../../crdt/stream.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Notice, Reply, Request } from '../exchange.ts';
import type { SESSION } from '../wire.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';
import type { Rooms } from './rooms.ts';

/** A conference as this account may see it, and what has just happened in it. */
export type ConferenceNews = Notice<typeof SESSION, 'conference'>;
/** A conference in a list, and whether this device is in it. */
export type ConferenceListing = Reply<typeof SESSION, 'conferences'>['conferences'][number];
export type ConferenceTarget = Request<typeof SESSION, 'conferenceJoin'>['target'];

export interface ConferencesOptions {
  readonly home: () => Home;
  /** @throws NETWORK, NOT_LOGGED_IN */
  readonly link: () => Link;
  readonly rooms: Rooms;
  readonly onNews: (news: ConferenceNews) => void;
  readonly onFault: (error: unknown) => void;
}

/** Questions for one list: far more conferences than anybody can look through. */
const MAX_PAGES = 64;

export class Conferences {
  readonly #options: ConferencesOptions;
  /** What is known of those in sight. */
  #known = new Map<RoomId, ConferenceNews>();
  /** Those in which this device was when a list was last asked for. */
  #here: readonly RoomId[] = [];
  /** Those of which something was told while a list was being asked for. */
  #touched: Set<RoomId> | undefined;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(options: ConferencesOptions) {
    this.#options = options;
  }

  /** Takes what the server tells. */
  take(news: ConferenceNews): void {
    const { change: _change, ...view } = news;
    if (isInSight(news)) this.#known.set(news.id, view);
    else this.#known.delete(news.id);
    this.#touched?.add(news.id);
    this.#options.onNews(news);
  }

  /** Asks what there is, and tells what is otherwise than it was last known. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing
      .then(() => this.#refresh())
      .catch((error: unknown) => this.#failed(error));
    return this.#refreshing;
  }

  #failed(error: unknown): void {
    // With the connection goes what was asked for; the next one begins with it.
    const isOver = (['CLOSED', 'NETWORK', 'MUST_CHANGE', 'NOT_LOGGED_IN'] as const).some((code) =>
      hasCode(error, code),
    );
    if (!isOver) this.#options.onFault(error);
  }

  async #refresh(): Promise<void> {
    const touched = (this.#touched = new Set());
    const list = await this.#list().finally(() => (this.#touched = undefined));
    const before = this.#known;
    this.#known = new Map();
    for (const { here: _here, ...view } of list) {
      const known = before.get(view.id);
      const isNewer = touched.has(view.id);
      // What was told meanwhile may be newer than the list.
      if (!isNewer) this.#known.set(view.id, view);
      else if (known !== undefined) this.#known.set(view.id, known);
      if (!isNewer && !isDeepStrictEqual(known, view)) this.#options.onNews(view);
    }
    for (const [id, view] of before)
      if (touched.has(id)) this.#known.set(id, view);
      else if (!this.#known.has(id)) this.#options.onNews(this.#outOfSight(view));
    this.#here = list.flatMap(({ id, here }) => (here ? [id] : []));
  }

  /** Speaks again where this device still has its place: the way in may have been cut short. */
  async resume(): Promise<void> {
    const { rooms, home } = this.#options;
    try {
      // What waited for the server may have begun one just now.
      await home().outbox.settled();
      await this.refresh();
      for (const id of this.#here)
        if (id !== LOBBY && roomOf(home().space, id) !== undefined) await rooms.joinByWord(id, 0);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** One that is not told of any more: it has ended, or nobody in it is of any concern here. */
  #outOfSight(view: ConferenceNews): ConferenceNews {
    const { space, name } = this.#options.home();
    // One's own is never out of sight while it lasts, also where its room is still to be removed.
    const isOver = roomOf(space, view.id) === undefined || view.owner === name;
    return { ...view, ...(isOver ? { state: 'ended' } : {}), participants: [] };
  }

  /** Whether anybody is in the conference of a room, as far as it is known here. */
  isLive(room: RoomId): boolean {
    return (this.#known.get(room)?.participants.length ?? 0) > 0;
  }

  /** Nobody is logged in any more. */
  reset(): void {
    this.#known.clear();
    this.#here = [];
  }

  /** What this account may see: its own conferences, those of its contacts, and where it is invited. */
  async list(): Promise<ConferenceListing[]> {
    const list = await this.#list();
    return list.sort((a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1));
  }

  async #list(): Promise<ConferenceListing[]> {
    const { session } = this.#options.link();
    const all: ConferenceListing[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const after = all.at(-1)?.id;
      const { conferences, more } = await session.call(
        'conferences',
        after === undefined ? {} : { after },
      );
      all.push(...conferences);
      if (!more || conferences.length === 0) break;
    }
    return all;
  }

  /**
   * Begins a conference.
   * @throws BAD_NAME, NAME_CLASH, DENIED, TOO_LARGE (one has too many), RATE_LIMITED, NETWORK
   */
  async create(name: string, password: string | undefined): Promise<ConferenceNews> {
    const { rooms } = this.#options;
    const id = await rooms.create({ name, private: true, lifetime: 'conference' }, password);
    return this.#cameInto(id);
  }

  /** A conference that this device has come into. @throws NO_SUCH_ROOM */
  async #cameInto(id: RoomId): Promise<ConferenceNews> {
    const found = (await this.#list()).find((one) => one.id === id && one.here);
    if (found === undefined) throw new ClchatError('NO_SUCH_ROOM', 'That conference has ended.');
    const { here: _here, ...view } = found;
    return view;
  }

  /**
   * Joins a conference by what one is to those in it.
   * @param secondDevice besides another device of the account
   * @throws NO_SUCH_ROOM, AMBIGUOUS, SELF, NOT_CONTACT, BLOCKED, BANNED, ALREADY, DENIED,
   *   NAME_CLASH, TOO_LARGE, RATE_LIMITED, NETWORK
   */
  async join(target: ConferenceTarget, secondDevice: boolean): Promise<ConferenceNews> {
    const { rooms, onFault } = this.#options;
    const { session } = this.#options.link();
    const { conference, length } = await session.call('conferenceJoin', { target, secondDevice });
    const { id } = conference;
    if (id === LOBBY) return conference;
    try {
      await rooms.joinByWord(id, length);
    } catch (error) {
      await session.call('conferenceLeave', { id }).catch(onFault);
      throw error;
    }
    return conference;
  }

  /**
   * Joins a conference by its password.
   * @throws BAD_PASSWORD, LOCKED, DENIED (it has none that is of any use), and as `join`
   */
  async joinByPassword(id: RoomId, password: string): Promise<ConferenceNews> {
    await this.#options.rooms.join(id, password);
    return this.#cameInto(id);
  }

  /**
   * Leaves a conference on this device.
   * @param which to be left out where it is in no other
   * @throws NOT_PARTICIPANT, AMBIGUOUS, NETWORK
   */
  leave(which: Request<typeof SESSION, 'conferenceLeave'>): Promise<{ id: RoomId; name: string }> {
    return this.#options.link().session.call('conferenceLeave', which);
  }

  /** @throws NOT_OWNER, BAD_NAME, ALREADY; NAME_CLASH of anybody in it; RATE_LIMITED, NETWORK */
  async rename(id: RoomId, name: string): Promise<void> {
    await this.#options.rooms.update(id, { name });
  }

  /** @throws NOT_OWNER, NOT_PARTICIPANT, ALREADY, OFFLINE, TOO_LARGE, RATE_LIMITED, NETWORK */
  async transfer(id: RoomId, to: AccountId): Promise<void> {
    await this.#options.rooms.setOwner(id, to);
  }

  /** @throws NOT_OWNER, NETWORK */
  async end(id: RoomId): Promise<void> {
    await this.#options.rooms.remove(id);
  }

  /** @throws NOT_PARTICIPANT, SELF, ALREADY, BLOCKED, TOO_LARGE, RATE_LIMITED, NETWORK */
  async invite(id: RoomId, account: AccountId): Promise<void> {
    await this.#options.link().session.call('conferenceInvite', { id, account });
  }
}

/** Whether somebody is told of it in whom this account has an interest. */
function isInSight({ state, participants }: ConferenceNews): boolean {
  return state !== 'ended' && participants.length > 0;
}
