/** What happens in rooms that this person is told of: rooms come and go, people in them, and who is silenced. */
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { authorOf, conversationAction } from '../../crdt/content.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { isMembershipAction } from '../../crdt/membership.ts';
import type { CodeRecord, RoomRecord } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { isEncryptedRoom, isOpenMember, pathOf, roomOf } from '../../crdt/rooms.ts';
import type { Batch } from '../../crdt/seal.ts';
import { LOBBY, placeOfStream, roomStream, type StreamName } from '../../crdt/stream.ts';

interface About {
  readonly room: RoomId;
  /** As it is, or was before it was removed. */
  readonly path: string;
  /** Whose doing it is; undefined: the server's. */
  readonly by: AccountId | undefined;
}

export type RoomNews = About &
  (
    | { readonly kind: 'room'; readonly state: 'created' | 'updated' | 'removed' }
    | {
        readonly kind: 'member';
        readonly account: AccountId;
        readonly state: 'joined' | 'left' | 'removed';
      }
    /** Somebody is silenced for everyone in its calls, or is not any more. */
    | {
        readonly kind: 'suppress';
        readonly account: AccountId;
        readonly state: 'suppressed' | 'lifted';
      }
    /** A code of this account. */
    | { readonly kind: 'code'; readonly state: 'issued' | 'redeemed' }
  );

/** Whether by what has happened an account is no longer in a room. */
export function isOut(news: RoomNews, account: AccountId): boolean {
  if (news.kind === 'room') return news.state === 'removed';
  return news.kind === 'member' && news.account === account && news.state !== 'joined';
}

type Known = Pick<RoomRecord, 'name' | 'parent'>;
type Change = RoomNews extends infer News
  ? News extends About
    ? Omit<News, keyof About>
    : never
  : never;

export class RoomNewsReader {
  readonly #replica: Replica;
  readonly #account: AccountId;
  /** Rooms as they were last: of one that is removed nothing is left to tell its path by. */
  readonly #rooms = new Map<RoomId, Known>();
  readonly #within = new Map<RoomId, Set<RoomId>>();
  /** Who has issued codes, of which nothing is left once they are used up. */
  readonly #codes = new Map<string, AccountId>();

  constructor(replica: Replica, account: AccountId) {
    this.#replica = replica;
    this.#account = account;
    for (const [id] of replica.space.entries('room')) this.#note(id as RoomId);
  }

  /** Keeps what is known of a room; conferences have no path. */
  #note(id: RoomId): void {
    const record = roomOf(this.#replica.space, id);
    if (record === undefined || record.lifetime === 'conference') return;
    const before = this.#rooms.get(id);
    if (before?.parent !== undefined) this.#within.get(before.parent)?.delete(id);
    this.#rooms.set(id, { name: record.name, ...(record.parent && { parent: record.parent }) });
    if (record.parent === undefined) return;
    const within = this.#within.get(record.parent);
    if (within === undefined) this.#within.set(record.parent, new Set([id]));
    else within.add(id);
  }

  #pathBefore(id: RoomId): string {
    const names: string[] = [];
    for (let at = this.#rooms.get(id); at !== undefined;) {
      names.push(at.name);
      at = at.parent === undefined ? undefined : this.#rooms.get(at.parent);
    }
    return names.reverse().join('/');
  }

  /** Forgets a room and those within it. @returns their paths, the innermost first */
  #forget(id: RoomId): { room: RoomId; path: string }[] {
    const known = this.#rooms.get(id);
    if (known === undefined) return [];
    const path = this.#pathBefore(id);
    const within = [...(this.#within.get(id) ?? [])].flatMap((one) => this.#forget(one));
    this.#rooms.delete(id);
    this.#within.delete(id);
    if (known.parent !== undefined) this.#within.get(known.parent)?.delete(id);
    return [...within, { room: id, path }];
  }

  /**
   * What a batch that was just added tells; what this device did itself left out.
   * @param past how many items of it are from before this account came in
   */
  read({ seal, items }: Batch, past = 0): RoomNews[] {
    const replica = this.#replica;
    const { stream, first } = seal;
    const place = placeOfStream(stream);
    if (place.type !== 'space' && place.type !== 'room') return [];
    return items.flatMap((item, index) => {
      if (item.type !== 'entry' || replica.isVoid(stream, first + index)) return [];
      const { entry } = item;
      const news =
        place.type === 'space' ? this.#readSpace(entry) : this.#readRoom(entry, place.room);
      return entry.device === replica.device || index < past ? [] : news;
    });
  }

  #readSpace(entry: Entry): RoomNews[] {
    const action = actionOf(entry, 'space') as SpaceAction | undefined;
    const by = authorOf(this.#replica.space, entry);
    switch (action?.kind) {
      case 'room':
        return this.#roomNews(entry.id.slice(0, 32) as RoomId, 'created', by);
      case 'updateroom':
      case 'lock':
      case 'retire':
      case 'owner':
        return this.#roomNews(action.body.room, 'updated', by);
      case 'removeroom':
        return this.#forget(action.body.room).map((gone) => {
          return { kind: 'room', state: 'removed', by, ...gone };
        });
      case 'join':
      case 'leave': {
        if (by === undefined) return [];
        const state = action.kind === 'join' ? 'joined' : 'left';
        return this.#memberNews(action.body.room, by, state, by);
      }
      case 'expel':
        return this.#memberNews(action.body.room, action.body.account, 'removed', by);
      case 'ban': {
        const { room, account } = action.body;
        // Everybody stays in the lobby, also who may not speak there.
        return room === undefined || room === LOBBY
          ? []
          : this.#memberNews(room, account, 'removed', by);
      }
      case 'suppress': {
        const { room, account, on } = action.body;
        return room === undefined
          ? []
          : this.#suppressNews(room, account, on ? 'suppressed' : 'lifted', by);
      }
      default:
        return [];
    }
  }

  /** Heard of by those who are in the room, whatever room, and by whom it befalls. */
  #suppressNews(
    room: RoomId,
    account: AccountId,
    state: 'suppressed' | 'lifted',
    by: AccountId | undefined,
  ): RoomNews[] {
    const { space, log } = this.#replica;
    const isIn = isEncryptedRoom(space, room)
      ? log.record(roomStream(room), 'member', this.#account) === true
      : isOpenMember(space, room, this.#account);
    const path = pathOf(space, room);
    const isHeard = path !== undefined && (isIn || account === this.#account);
    return isHeard ? [{ kind: 'suppress', room, path, account, state, by }] : [];
  }

  #roomNews(room: RoomId, state: 'created' | 'updated', by: AccountId | undefined): RoomNews[] {
    this.#note(room);
    return this.#about(room, { kind: 'room', state }, by);
  }

  /** News of a room that has a path. */
  #about(room: RoomId, change: Change, by: AccountId | undefined): RoomNews[] {
    const path = this.#rooms.has(room) ? pathOf(this.#replica.space, room) : undefined;
    return path === undefined ? [] : [{ room, path, by, ...change }];
  }

  /** Of people in open rooms hear those who are in there, and the people themselves. */
  #memberNews(
    room: RoomId,
    account: AccountId,
    state: 'joined' | 'left' | 'removed',
    by: AccountId | undefined,
  ): RoomNews[] {
    const concerns =
      account === this.#account || isOpenMember(this.#replica.space, room, this.#account);
    return concerns ? this.#about(room, { kind: 'member', account, state }, by) : [];
  }

  #readRoom(entry: Entry, room: RoomId): RoomNews[] {
    const action = conversationAction(entry);
    const by = authorOf(this.#replica.space, entry);
    if (action === undefined || !isMembershipAction(action) || by === undefined) return [];
    const told = (account: AccountId, state: 'joined' | 'left' | 'removed'): RoomNews[] =>
      this.#about(room, { kind: 'member', account, state }, by);
    switch (action.kind) {
      case 'join': {
        const { by: how } = action.body;
        const isMine =
          how.type === 'code' && this.#issuerOf(entry.stream, how.verifier) === this.#account;
        return [
          ...told(by, 'joined'),
          ...(isMine ? this.#about(room, { kind: 'code', state: 'redeemed' }, by) : []),
        ];
      }
      case 'leave':
        return told(by, 'left');
      case 'members':
        return [
          ...action.body.add.flatMap((account) => told(account, 'joined')),
          ...action.body.remove.flatMap((account) => told(account, 'removed')),
        ];
      case 'code':
        this.#codes.set(action.body.verifier, by);
        return by === this.#account ? this.#about(room, { kind: 'code', state: 'issued' }, by) : [];
      default:
        return action satisfies never;
    }
  }

  #issuerOf(stream: StreamName, verifier: string): AccountId | undefined {
    const code = this.#replica.log.record<CodeRecord>(stream, 'code', verifier);
    return code?.issuer ?? this.#codes.get(verifier);
  }
}
