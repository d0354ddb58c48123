/** What an account may do, by the group it is in. */
import { ClchatError } from '../errors.ts';
import type { AccountId, PublicKey } from './keys.ts';
import { ADMIN_GROUP, type Permission } from './permissions.ts';
import { actorOf, groupOf, presentAccount, type AccountRecord } from './records.ts';
import { isBanned } from './rooms.ts';
import type { Reader } from './state.ts';

/** Deny by default: who is in no group that exists may nothing. */
export function may(
  space: Pick<Reader, 'get'>,
  account: AccountId,
  permission: Permission,
): boolean {
  return groupOf(space, account)?.permissions.includes(permission) === true;
}

/** Why somebody is refused whom their group does not allow it. */
export function lacking(permission: Permission): ClchatError {
  return new ClchatError('DENIED', `You need the permission "${permission}".`, {
    data: { permission },
  });
}

/** 0 to 100; 0 where the group does not exist. */
export function levelOf(space: Pick<Reader, 'get'>, account: AccountId): number {
  return groupOf(space, account)?.level ?? 0;
}

/** Whose device it is; undefined where that account is none any more, or shut out of the server. */
export function guestOf(space: Reader, device: PublicKey, now: number): AccountId | undefined {
  const account = actorOf(space, device);
  if (account === undefined || presentAccount(space, account) === undefined) return undefined;
  return isBanned(space, account, undefined, now) ? undefined : account;
}

/**
 * How many administrators there are whom the server does not shut out. Scans all accounts.
 * @param now the server's clock; without: bans that end some day do not count
 */
export function admins(space: Reader, now = Infinity): number {
  let number = 0;
  for (const [id, account] of space.entries<AccountRecord>('account'))
    if (account.group === ADMIN_GROUP && account.removed !== true)
      if (!isBanned(space, id as AccountId, undefined, now)) number++;
  return number;
}

/** Whether nobody could do what administrators do any more, were an account none. */
export function isLastAdmin(space: Reader, account: AccountId, now = Infinity): boolean {
  if (presentAccount(space, account)?.group !== ADMIN_GROUP) return false;
  return admins(space, now) <= (isBanned(space, account, undefined, now) ? 0 : 1);
}

/** Whether an account may put another out: as the owner, or by permission somebody of no higher level. */
export function mayPutOut(
  space: Reader,
  actor: AccountId,
  owner: AccountId | null | undefined,
  target: AccountId,
): boolean {
  if (owner === actor) return true;
  return may(space, actor, 'removeUser') && levelOf(space, target) <= levelOf(space, actor);
}

/** Most bytes of a file where the group does not say. */
export const DEFAULT_FILE_LIMIT = 25 << 20;

/** Most bytes of a file that an account may attach. */
export function fileLimitOf(space: Pick<Reader, 'get'>, account: AccountId): number {
  return groupOf(space, account)?.fileLimit ?? DEFAULT_FILE_LIMIT;
}
