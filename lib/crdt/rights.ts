/** What an account may do, by the group it is in. */
import type { AccountId } from './keys.ts';
import { ADMIN_GROUP, type Permission } from './permissions.ts';
import { groupOf, presentAccount, type AccountRecord } from './records.ts';
import type { Reader } from './state.ts';

/** Deny by default: who is in no group that exists may nothing. */
export function may(
  space: Pick<Reader, 'get'>,
  account: AccountId,
  permission: Permission,
): boolean {
  return groupOf(space, account)?.permissions.includes(permission) === true;
}

/** 0 to 100; 0 where the group does not exist. */
export function levelOf(space: Pick<Reader, 'get'>, account: AccountId): number {
  return groupOf(space, account)?.level ?? 0;
}

/** How many administrators there are. Scans all accounts. */
export function admins(space: Reader): number {
  let number = 0;
  for (const [, account] of space.entries<AccountRecord>('account'))
    if (account.group === ADMIN_GROUP && account.removed !== true) number++;
  return number;
}

export function isLastAdmin(space: Reader, account: AccountId): boolean {
  return presentAccount(space, account)?.group === ADMIN_GROUP && admins(space) === 1;
}

/** Most bytes of a file where the group does not say. */
export const DEFAULT_FILE_LIMIT = 25 << 20;

/** Most bytes of a file that an account may attach. */
export function fileLimitOf(space: Pick<Reader, 'get'>, account: AccountId): number {
  return groupOf(space, account)?.fileLimit ?? DEFAULT_FILE_LIMIT;
}
