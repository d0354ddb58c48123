/** Groups: what they allow, and who is in them. */
import { groupNamed } from '../crdt/people.ts';
import { ADMIN_GROUP, PERMISSIONS, USER_GROUP, type Permission } from '../crdt/permissions.ts';
import type { AccountRecord, GroupRecord } from '../crdt/records.ts';
import { may } from '../crdt/rights.ts';
import { ClchatError, textOf } from '../errors.ts';
import type { Home } from '../node/client/home.ts';
import { fold, isName, nearest } from '../text.ts';
import { decree, findGroup, mustFindGroup, mustReach, mustReachGroup } from './admin-handling.ts';
import { mustBeAllowed, need, whole, type Handler } from './handling.ts';

const MAX_LEVEL = 100;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 };

function levelFrom(written: string): number {
  const level = whole(written, 'The level');
  if (level > MAX_LEVEL) throw new ClchatError('USAGE', `A level is from 0 to ${MAX_LEVEL}.`);
  return level;
}

/** Bytes of a size such as `10M`. */
function sizeFrom(written: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9})([KMG]?)$/i.exec(written) ?? [];
  if (number === '') throw new ClchatError('USAGE', `"${written}" is no size; write 500K or 10M.`);
  return Number(number) * (UNITS[unit.toUpperCase()] ?? 1);
}

function permissionFrom(written: string): Permission {
  const found = PERMISSIONS.find((one) => fold(one) === fold(written));
  if (found !== undefined) return found;
  const meant = nearest(written, PERMISSIONS);
  const hint = meant === undefined ? `There are ${PERMISSIONS.join(', ')}.` : `Is it "${meant}"?`;
  throw new ClchatError('USAGE', `There is no permission "${written}". ${hint}`);
}

interface GroupChange {
  readonly add: readonly Permission[];
  readonly remove: readonly Permission[];
  readonly level?: number;
  readonly fileLimit?: number;
}

/** Reads changes such as `+createRoom -broadcast level=20 files=10M`: of two the later counts. */
export function groupChange(written: string): GroupChange {
  const given = new Map<Permission, boolean>();
  let rest: Pick<GroupChange, 'level' | 'fileLimit'> = {};
  for (const word of written.trim().split(/\s+/u)) {
    const [, sign, name = ''] = /^([+-])(.+)$/u.exec(word) ?? [];
    const [, key = '', value = ''] = /^(level|files)=(.+)$/iu.exec(word) ?? [];
    if (sign !== undefined) {
      const permission = permissionFrom(name);
      // Those that are given again stand where they were given last.
      given.delete(permission);
      given.set(permission, sign === '+');
    } else if (key.toLowerCase() === 'level') rest = { ...rest, level: levelFrom(value) };
    else if (key.toLowerCase() === 'files') rest = { ...rest, fileLimit: sizeFrom(value) };
    else
      throw new ClchatError(
        'USAGE',
        `"${word}" is no change; write +PERMISSION, -PERMISSION, level=NUMBER or files=SIZE.`,
      );
  }
  const those = (isGiven: boolean): Permission[] =>
    [...given].flatMap(([permission, is]) => (is === isGiven ? [permission] : []));
  return { add: those(true), remove: those(false), ...rest };
}

const creategroup: Handler = async ({ name: typed, level: written }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'setGroupPerm');
  const name = need(typed, 'The name');
  if (!isName(name)) throw new ClchatError('BAD_NAME', textOf('BAD_NAME'));
  const other = findGroup(home, name);
  if (other !== undefined) throw new ClchatError('NAME_TAKEN', `There is a group "${other}".`);
  const level = written === undefined ? 0 : levelFrom(written);
  mustReachGroup(home, name, level);
  await decree(client, 'creategroup', { name, level });
  return { group: name, level };
};

const updategroup: Handler = async ({ group, changes }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'setGroupPerm');
  const name = mustFindGroup(home, group);
  const change = groupChange(need(changes, 'A change'));
  if (name === ADMIN_GROUP)
    throw new ClchatError('DENIED', 'Administrators may do everything, and always.');
  mustReachGroup(home, name, change.level);
  // Nobody gives what they do not have.
  for (const permission of change.add) mustBeAllowed(home, permission);
  await decree(client, 'updategroup', { name, ...change });
  return { group: name, ...groupView(groupNamed(home.space, name)) };
};

const removegroup: Handler = async ({ group }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'setGroupPerm');
  const name = mustFindGroup(home, group);
  if (name === ADMIN_GROUP || name === USER_GROUP)
    throw new ClchatError('DENIED', `The group "${name}" is always there.`);
  mustReachGroup(home, name);
  await decree(client, 'removegroup', { name });
  return { group: name, members: membersOf(home).get(name) ?? 0 };
};

const setusergroup: Handler = async ({ user, group: typed }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'setUserGroup');
  const account = home.named(need(user, 'The user'));
  const found = findGroup(home, typed);
  const group = found ?? need(typed, 'The group');
  if (!isName(group)) throw new ClchatError('BAD_NAME', textOf('BAD_NAME'));
  mustReach(home, account);
  mustReachGroup(home, group);
  await decree(client, 'setgroup', { account, group });
  return { user: home.nameOf(account), group, known: found !== undefined };
};

/** How many are in each group, those that are no more included. */
function membersOf(home: Home): Map<string, number> {
  const members = new Map<string, number>();
  for (const [, { group, removed }] of home.space.entries<AccountRecord>('account'))
    if (removed !== true) members.set(group, (members.get(group) ?? 0) + 1);
  return members;
}

function groupView(record: GroupRecord | undefined): Record<string, unknown> {
  const { level = 0, permissions = [], fileLimit } = record ?? {};
  return { level, permissions, ...(fileLimit === undefined ? {} : { files: fileLimit }) };
}

const levels: Handler = async (_args, { client: { home } }) => {
  const own = home.record?.group;
  const seesAll = may(home.space, home.account, 'viewLevels');
  const members = membersOf(home);
  const groups = [...home.space.entries<GroupRecord>('group')]
    .sort(([a, one], [b, other]) => other.level - one.level || a.localeCompare(b))
    .map(([group, record]) =>
      seesAll || group === own
        ? {
            group,
            ...groupView(record),
            members: members.get(group) ?? 0,
            own: group === own,
          }
        : { group, level: record.level, own: false },
    );
  return { levels: groups };
};

export const GROUP_HANDLERS: Readonly<Record<string, Handler>> = {
  creategroup,
  updategroup,
  removegroup,
  setusergroup,
  levels,
};
