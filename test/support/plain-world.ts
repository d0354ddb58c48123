/**
 * A community as plain data, next to the real rules: who is in which group, what groups may, where
 * rooms lie and who is in them. Knows nothing of records, streams or how the rules keep anything.
 */
import type { AccountId, RoomId } from '../../lib/crdt/keys.ts';
import { LOBBY } from '../../lib/crdt/stream.ts';
import { NOW, type Member } from './community.ts';
import type { MadeLock } from './rooms.ts';

export interface PlainGroup {
  level: number;
  readonly permissions: Set<string>;
}

export interface Person {
  readonly account: AccountId;
  name: string;
  group: string;
  isRemoved: boolean;
  /** None of those whom others have made. */
  readonly device: Member | undefined;
}

export interface PlainRoom {
  readonly id: RoomId;
  name: string;
  parent: RoomId | undefined;
  isPrivate: boolean;
  readonly lifetime: 'builtin' | 'permanent' | 'temporary' | 'conference';
  media: string;
  owner: AccountId | null;
  /** Of an encrypted room those in its stream. */
  readonly members: Set<AccountId>;
  readonly banned: Set<AccountId>;
  /** Who is silenced in it. */
  readonly silenced: Set<AccountId>;
  /** Generation 0 of a room that was opened by one above, and is by none any more. */
  lock: { generation: number; isRetired: boolean; hasPassword: boolean } | undefined;
  /** All that there ever were, the first one first. */
  readonly locks: MadeLock[];
  /** Codes that let in. */
  readonly codes: Map<string, PlainCode>;
}

export interface PlainCode {
  readonly purpose: 'signup' | 'elevate' | 'join';
  readonly group: string | undefined;
  readonly issuer: AccountId;
  readonly expires: number;
  uses: number;
}

/** Names that people take for one another, in each row. */
export const LOOKALIKES = [
  ['ab', 'AB', '\u0430b'],
  ['coo', 'Coo', 'c\u043eo'],
  ['xe', 'x\u0435'],
  ['z1'],
  ['z2'],
];
const LOOKS = new Map(LOOKALIKES.flatMap((row) => row.map((name) => [name, row[0]!] as const)));

export function looksLike(one: string, other: string): boolean {
  return (LOOKS.get(one) ?? one) === (LOOKS.get(other) ?? other);
}

export class PlainWorld {
  now = NOW;
  readonly groups = new Map<string, PlainGroup>();
  readonly people = new Map<AccountId, Person>();
  readonly rooms = new Map<RoomId, PlainRoom>();
  readonly codes = new Map<string, PlainCode>();
  /** Whom the server shuts out. */
  readonly banned = new Set<AccountId>();
  /** Who is silenced everywhere. */
  readonly silenced = new Set<AccountId>();

  /** Just founded, with these groups, and nobody in it. */
  static found(
    groups: Readonly<Record<string, { level: number; permissions: readonly string[] }>>,
  ): PlainWorld {
    const world = new PlainWorld();
    for (const [name, { level, permissions }] of Object.entries(groups))
      world.groups.set(name, { level, permissions: new Set(permissions) });
    world.rooms.set(LOBBY, {
      ...{ id: LOBBY, name: 'lobby', parent: undefined, isPrivate: false, lifetime: 'builtin' },
      ...{ media: 'both', owner: null, members: new Set(), banned: new Set(), lock: undefined },
      ...{ silenced: new Set(), locks: [], codes: new Map() },
    });
    return world;
  }

  /** Somebody comes, with a device or without. */
  arrive(account: AccountId, name: string, group: string, device: Member | undefined): Person {
    const person = { account, name, group, isRemoved: false, device };
    this.people.set(account, person);
    return person;
  }

  present(account: AccountId): Person | undefined {
    const person = this.people.get(account);
    return person?.isRemoved === true ? undefined : person;
  }

  level(account: AccountId): number {
    return this.levelOf(this.present(account)?.group);
  }

  levelOf(group: string | undefined): number {
    return (group === undefined ? undefined : this.groups.get(group)?.level) ?? 0;
  }

  has(account: AccountId, permission: string): boolean {
    const group = this.present(account)?.group;
    return group !== undefined && this.groups.get(group)?.permissions.has(permission) === true;
  }

  /** Whether an account alone is an administrator and may come in. */
  isLastAdmin(account: AccountId): boolean {
    const admins = [...this.people.values()].filter(
      (one) => one.group === 'admin' && !one.isRemoved && !this.banned.has(one.account),
    );
    return admins.length === 1 && admins[0]!.account === account;
  }

  /** Whether somebody may make codes for a group. */
  mayIssue(account: AccountId, purpose: PlainCode['purpose'], group: string): boolean {
    const isClosed = this.groups.get(group)?.permissions.has('noInviteFor') === true;
    const needed =
      purpose === 'elevate'
        ? ['issueCode']
        : isClosed
          ? ['inviteUserAny']
          : ['inviteUser', 'inviteUserAny'];
    return (
      needed.some((permission) => this.has(account, permission)) &&
      this.levelOf(group) <= this.level(account)
    );
  }

  /** Whether somebody may make codes for a room. */
  mayInviteInto(room: PlainRoom, account: AccountId): boolean {
    return room.owner === account || this.has(account, 'inviteUser');
  }

  isPast({ expires }: Pick<PlainCode, 'expires'>): boolean {
    return expires < this.now;
  }

  /** A code is made, and those that are past their time are forgotten. */
  issue(codes: Map<string, PlainCode>, written: string, code: PlainCode): void {
    for (const [other, one] of codes) if (this.isPast(one)) codes.delete(other);
    codes.set(written, code);
  }

  redeem(codes: Map<string, PlainCode>, written: string): void {
    const code = codes.get(written)!;
    if (--code.uses === 0) codes.delete(written);
  }

  /** Somebody is no member any more, nor is anybody let in by what they have made. */
  putOut(room: PlainRoom, account: AccountId): void {
    room.members.delete(account);
    for (const [written, { issuer }] of room.codes)
      if (issuer === account) room.codes.delete(written);
  }

  /** Whether somebody else is taken for one of that name. */
  isNameTaken(name: string, self?: AccountId): boolean {
    return [...this.people.values()].some(
      (person) => !person.isRemoved && person.account !== self && looksLike(person.name, name),
    );
  }

  isRoomNameTaken(parent: RoomId | undefined, name: string, self?: RoomId): boolean {
    return [...this.rooms.values()].some(
      (room) =>
        room.lifetime !== 'conference' &&
        room.id !== self &&
        room.parent === parent &&
        looksLike(room.name, name),
    );
  }

  /** A room and those it lies in. */
  line(id: RoomId): PlainRoom[] {
    const room = this.rooms.get(id);
    if (room === undefined) return [];
    return [room, ...(room.parent === undefined ? [] : this.line(room.parent))];
  }

  /** A room and those in it. */
  within(id: RoomId): PlainRoom[] {
    return [...this.rooms.values()].filter((room) =>
      this.line(room.id).some((one) => one.id === id),
    );
  }

  isEncrypted(id: RoomId): boolean {
    return this.line(id).some(({ isPrivate }) => isPrivate);
  }

  /** The private room whose lock opens a room. */
  holder(id: RoomId): PlainRoom | undefined {
    return this.line(id).find(({ isPrivate }) => isPrivate);
  }

  isMember(room: PlainRoom, account: AccountId): boolean {
    return room.id === 'lobby' || room.members.has(account);
  }

  /** Whether somebody may put another out of a room, or (undefined) of the server. */
  mayPutOut(actor: AccountId, target: AccountId, room: PlainRoom | undefined): boolean {
    if (room?.owner === actor) return true;
    return this.has(actor, 'removeUser') && this.level(target) <= this.level(actor);
  }
}
