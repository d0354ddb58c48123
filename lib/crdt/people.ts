/** Groups, and what is done to accounts by those whom a group allows it. */
import type { Redemption, SpaceAction } from './bodies.ts';
import { checkNewCode, codesOf, newCodeChanges, redeemed, usedChange } from './codes.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId, RoomId } from './keys.ts';
import { isKeyable, lookKey } from './naming.ts';
import { ADMIN_GROUP, USER_GROUP, type Permission } from './permissions.ts';
import {
  presentAccount,
  type AccountRecord,
  type CodeRecord,
  type DeviceRecord,
  type GroupRecord,
  type RoomRecord,
  type ServerRecord,
} from './records.ts';
import { admins, isLastAdmin, levelOf, may } from './rights.ts';
import { ownedChanges } from './room-rules.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { suppressionsOf } from './suppress.ts';
import { fold } from '../text.ts';

const KINDS = [
  'setgroup',
  'creategroup',
  'updategroup',
  'removegroup',
  'createuser',
  'updateuser',
  'removeuser',
  'code',
  'elevate',
  'renameserver',
  'motd',
] as const;
export type PeopleKind = (typeof KINDS)[number];
export type PeopleAction = Extract<SpaceAction, { readonly kind: PeopleKind }>;

export function isPeopleAction(action: SpaceAction): action is PeopleAction {
  return (KINDS as readonly string[]).includes(action.kind);
}

/** Groups that are always there. */
const BUILTIN: readonly string[] = [ADMIN_GROUP, USER_GROUP];
/** Most groups of a server. */
export const MAX_GROUPS = 256;

export const groupNamed = (space: Pick<Reader, 'get'>, name: string): GroupRecord | undefined =>
  space.get<GroupRecord>('group', name);

export function accountNamed(space: Pick<Reader, 'get'>, name: string): AccountId | undefined {
  return space.get<AccountId>('name', fold(name));
}

/** The name of the account that has a name, or one that looks like it. */
export function namesake(space: Pick<Reader, 'get'>, name: string): string | undefined {
  const id = accountNamed(space, name) ?? space.get<AccountId>('look', lookKey(name));
  return id === undefined ? undefined : presentAccount(space, id)?.name;
}

/** @param self who has the name already, which does not count */
export function isNameFree(space: Pick<Reader, 'get'>, name: string, self?: AccountId): boolean {
  const taken = [accountNamed(space, name), space.get<AccountId>('look', lookKey(name))];
  return taken.every((id) => id === undefined || id === self);
}

/** What makes an account known by a name. */
export function nameChanges(id: AccountId, name: string, value: AccountId | undefined): Change[] {
  return [
    { table: 'name', id: fold(name), value: value === undefined ? undefined : id },
    { table: 'look', id: lookKey(name), value: value === undefined ? undefined : id },
  ];
}

type BodyOf<K extends PeopleKind> = Extract<PeopleAction, { kind: K }>['body'];

/** Whether the last administrator would be lost were an account in another group, or in none. */
function losesLastAdmin(
  { space, now }: Context,
  account: AccountId,
  group: string | undefined,
): boolean {
  return group !== ADMIN_GROUP && isLastAdmin(space, account, now);
}

/** What one may do to a group depends on its level, and to which one may lift it. */
function reaches(space: Reader, actor: AccountId, group: string, level = 0): boolean {
  const own = levelOf(space, actor);
  return (groupNamed(space, group)?.level ?? 0) <= own && level <= own;
}

function checkSetGroup(
  { account, group }: BodyOf<'setgroup'>,
  context: Context,
): ErrorCode | undefined {
  const { space, entry, actor, now } = context;
  if (presentAccount(space, account) === undefined) return 'NO_SUCH_USER';
  // The server's own key makes the first admin, and nobody else, at its own console.
  if (entry.device === entry.server)
    return group === ADMIN_GROUP && admins(space, now) === 0 ? undefined : 'DENIED';
  if (actor === undefined || !may(space, actor, 'setUserGroup')) return 'DENIED';
  if (!reaches(space, actor, group) || levelOf(space, account) > levelOf(space, actor))
    return 'DENIED';
  return losesLastAdmin(context, account, group) ? 'LAST_ADMIN' : undefined;
}

function checkUpdateGroup(
  { name, add, level }: BodyOf<'updategroup'>,
  { space, actor }: Context,
): ErrorCode | undefined {
  if (actor === undefined || !may(space, actor, 'setGroupPerm')) return 'DENIED';
  if (groupNamed(space, name) === undefined) return 'NO_SUCH_GROUP';
  // The administrators have everything, so that somebody always has.
  if (name === ADMIN_GROUP || !reaches(space, actor, name, level)) return 'DENIED';
  // Nobody gives what they do not have.
  return add.every((permission) => may(space, actor, permission)) ? undefined : 'DENIED';
}

/** Why somebody may not make a code; one that is made already is worth what its maker may do now. */
function checkIssuer(
  space: Reader,
  issuer: AccountId,
  { purpose, group }: { readonly purpose: CodeRecord['purpose']; readonly group: string },
): ErrorCode | undefined {
  const record = groupNamed(space, group);
  if (record === undefined) return 'NO_SUCH_GROUP';
  const isClosed = record.permissions.includes('noInviteFor');
  const needed: Permission =
    purpose === 'elevate' ? 'issueCode' : isClosed ? 'inviteUserAny' : 'inviteUser';
  const isAllowed =
    may(space, issuer, needed) || (needed === 'inviteUser' && may(space, issuer, 'inviteUserAny'));
  return isAllowed && reaches(space, issuer, group) ? undefined : 'DENIED';
}

/** The group into which a code leads; undefined where it is no good. */
export function groupByCode(
  redemption: Redemption,
  purpose: 'signup' | 'elevate',
  context: Context,
): string | undefined {
  const { space } = context;
  const { group, issuer } = redeemed(space, redemption, purpose, context) ?? {};
  if (group === undefined || issuer === undefined) return undefined;
  return checkIssuer(space, issuer, { purpose, group }) === undefined ? group : undefined;
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkPeople(action: PeopleAction, context: Context): ErrorCode | undefined {
  const { space, actor, now } = context;
  switch (action.kind) {
    case 'setgroup':
      return checkSetGroup(action.body, context);
    case 'creategroup': {
      const { name, level } = action.body;
      if (actor === undefined || !may(space, actor, 'setGroupPerm')) return 'DENIED';
      if (level > levelOf(space, actor)) return 'DENIED';
      if (groupNamed(space, name) !== undefined) return 'NAME_TAKEN';
      return [...space.entries('group')].length < MAX_GROUPS ? undefined : 'TOO_LARGE';
    }
    case 'updategroup':
      return checkUpdateGroup(action.body, context);
    case 'removegroup': {
      const { name } = action.body;
      if (actor === undefined || !may(space, actor, 'setGroupPerm')) return 'DENIED';
      if (groupNamed(space, name) === undefined) return 'NO_SUCH_GROUP';
      return BUILTIN.includes(name) || !reaches(space, actor, name) ? 'DENIED' : undefined;
    }
    case 'createuser': {
      const { name, group, keyring } = action.body;
      if (actor === undefined || !may(space, actor, 'createUser')) return 'DENIED';
      if (!reaches(space, actor, group)) return 'DENIED';
      if (!isKeyable(name)) return 'BAD_NAME';
      if (!isNameFree(space, name)) return 'NAME_TAKEN';
      return keyring.generation === 1 ? undefined : 'BAD_ENTRY';
    }
    case 'updateuser': {
      const { account, name } = action.body;
      if (presentAccount(space, account) === undefined) return 'NO_SUCH_USER';
      if (actor === undefined) return 'DENIED';
      if (actor !== account) {
        if (!may(space, actor, 'renameUser')) return 'DENIED';
        if (levelOf(space, account) > levelOf(space, actor)) return 'DENIED';
      }
      if (name === undefined) return undefined;
      if (!isKeyable(name)) return 'BAD_NAME';
      return isNameFree(space, name, account) ? undefined : 'NAME_TAKEN';
    }
    case 'removeuser': {
      const { account } = action.body;
      if (presentAccount(space, account) === undefined) return 'NO_SUCH_USER';
      if (actor === undefined || !may(space, actor, 'removeUser')) return 'DENIED';
      if (levelOf(space, account) > levelOf(space, actor)) return 'DENIED';
      return losesLastAdmin(context, account, undefined) ? 'LAST_ADMIN' : undefined;
    }
    case 'code': {
      const { body } = action;
      if (actor === undefined) return 'DENIED';
      return checkIssuer(space, actor, body) ?? checkNewCode(space, body, actor, now);
    }
    case 'elevate': {
      if (actor === undefined) return 'DENIED';
      const group = groupByCode(action.body, 'elevate', context);
      if (group === undefined) return 'BAD_CODE';
      return losesLastAdmin(context, actor, group) ? 'LAST_ADMIN' : undefined;
    }
    case 'renameserver':
    case 'motd':
      return actor !== undefined && may(space, actor, 'renameServer') ? undefined : 'DENIED';
    default:
      return action satisfies never;
  }
}

function accountChange(
  space: Reader,
  id: AccountId,
  change: (account: AccountRecord) => AccountRecord,
): Change[] {
  const account = presentAccount(space, id);
  return account === undefined ? [] : [{ table: 'account', id, value: change(account) }];
}

function removeUser(space: Reader, id: AccountId, isErased: boolean): Change[] {
  const account = presentAccount(space, id);
  if (account === undefined) return [];
  const changes: Change[] = [
    ...nameChanges(id, account.name, undefined),
    {
      table: 'account',
      id,
      value: { ...account, removed: true, ...(isErased ? { erased: true } : {}) },
    },
  ];
  for (const [key, device] of space.of<DeviceRecord>('device', id))
    if (!device.revoked)
      changes.push({ table: 'device', id: key, value: { ...device, revoked: true } });
  for (const [key] of space.entries('member'))
    if (key.endsWith(`:${id}`)) changes.push({ table: 'member', id: key, value: undefined });
  for (const [key, room] of space.entries<RoomRecord>('room'))
    if (room.owner === id)
      changes.push(...ownedChanges(key as RoomId, room), {
        table: 'room',
        id: key,
        value: { ...room, owner: null },
      });
  changes.push(...codesOf(space, new Set([id])), ...suppressionsOf(space, id));
  return changes;
}

/** The changes of an allowed action. Total: what it does not find, it does not change. */
export function reducePeople(action: PeopleAction, context: Context): Change[] {
  const { space, entry, actor, now } = context;
  switch (action.kind) {
    case 'setgroup': {
      const { group } = action.body;
      return accountChange(space, action.body.account, (account) => ({ ...account, group }));
    }
    case 'creategroup': {
      const { name, level } = action.body;
      return [{ table: 'group', id: name, value: { level, permissions: [] } }];
    }
    case 'updategroup': {
      const { name, add, remove, level, fileLimit } = action.body;
      const group = groupNamed(space, name);
      if (group === undefined) return [];
      const kept = group.permissions.filter((one) => !remove.includes(one));
      const value: GroupRecord = {
        ...group,
        permissions: [...new Set([...kept, ...add.filter((one) => !remove.includes(one))])],
        ...(level === undefined ? {} : { level }),
        ...(fileLimit === undefined ? {} : { fileLimit }),
      };
      return [{ table: 'group', id: name, value }];
    }
    case 'removegroup':
      return [{ table: 'group', id: action.body.name, value: undefined }];
    case 'createuser': {
      const { name, group, keyring, password } = action.body;
      const id = entry.id.slice(0, 32) as AccountId;
      const value: AccountRecord = {
        name,
        group,
        created: entry.time,
        keyring,
        password: password.key,
        passwordVersion: 1,
        mustChange: true,
      };
      return [
        { table: 'account', id, value },
        ...nameChanges(id, name, id),
        {
          table: 'keyring',
          id: `${id}:1`,
          value: { wraps: [], password: password.wrap, previous: null },
        },
      ];
    }
    case 'updateuser': {
      const { account: id, name, display } = action.body;
      const before = presentAccount(space, id);
      if (before === undefined) return [];
      return [
        ...(name === undefined
          ? []
          : [...nameChanges(id, before.name, undefined), ...nameChanges(id, name, id)]),
        ...accountChange(space, id, (account) => ({
          ...account,
          ...(name === undefined ? {} : { name }),
          ...(display === undefined ? {} : { display }),
        })),
      ];
    }
    case 'removeuser':
      return removeUser(space, action.body.account, action.body.vengeance);
    case 'code': {
      const { purpose, group, verifier, uses, expires } = action.body;
      if (actor === undefined) return [];
      const value: CodeRecord = { purpose, group, issuer: actor, uses, expires };
      return newCodeChanges(space, verifier, value, now);
    }
    case 'elevate': {
      const code = space.get<CodeRecord>('code', action.body.verifier);
      if (actor === undefined || code?.group === undefined) return [];
      const { group } = code;
      return [
        ...usedChange(space, action.body.verifier),
        ...accountChange(space, actor, (account) => ({ ...account, group })),
      ];
    }
    case 'renameserver':
    case 'motd': {
      const record = space.get<ServerRecord>('server', 'server');
      if (record === undefined) return [];
      const value: ServerRecord =
        action.kind === 'motd'
          ? { ...record, motd: action.body.text }
          : { ...record, name: action.body.name };
      return [{ table: 'server', id: 'server', value }];
    }
    default:
      return action satisfies never;
  }
}
