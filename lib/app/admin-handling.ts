/** What handlers of administration have in common. */
import type { AccountId } from '../crdt/keys.ts';
import { groupNamed, namesake } from '../crdt/people.ts';
import type { GroupRecord } from '../crdt/records.ts';
import { levelOf } from '../crdt/rights.ts';
import { ClchatError, textOf } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { returned } from '../node/client/space-turn.ts';
import { fold, isName, whyNotFree } from '../text.ts';
import { need, sent } from './handling.ts';

/** What is written where something is to be taken away again. */
export const NONE = 'none';

/**
 * Has an entry of the space judged, and waits until what it changed is here. Administration takes
 * effect when the server says so, and is not kept for later.
 * @throws NETWORK (the server is away), as it is refused
 */
export async function decree(client: Client, kind: string, body: unknown): Promise<void> {
  const { home } = client;
  if (!home.outbox.attached) throw new ClchatError('NETWORK');
  const entry = await home.conversations.act('space', kind, body);
  if ((await sent(home, entry)) === 'held') await returned(home, entry.seq);
}

/** That an account is not in a group of a higher level than one's own. @throws DENIED */
export function mustReach(home: Home, account: AccountId): void {
  if (levelOf(home.space, account) > levelOf(home.space, home.account))
    throw new ClchatError('DENIED', `${home.nameOf(account)} is of a higher level than you.`);
}

/** That a group is not of a higher level than one's own, nor to be lifted there. @throws DENIED */
export function mustReachGroup(home: Home, name: string, level = 0): void {
  const own = levelOf(home.space, home.account);
  if (Math.max(groupNamed(home.space, name)?.level ?? 0, level) > own)
    throw new ClchatError('DENIED', `That is above your own level, which is ${own}.`);
}

/** A group by the name that was typed, in any case; undefined where there is none. */
export function findGroup(home: Home, typed: string | undefined): string | undefined {
  const name = need(typed, 'The group');
  if (groupNamed(home.space, name) !== undefined) return name;
  for (const [other] of home.space.entries<GroupRecord>('group'))
    if (fold(other) === fold(name)) return other;
  return undefined;
}

/** @throws NO_SUCH_GROUP */
export function mustFindGroup(home: Home, typed: string | undefined): string {
  const name = findGroup(home, typed);
  if (name === undefined) throw new ClchatError('NO_SUCH_GROUP', `There is no group "${typed}".`);
  return name;
}

/** A name that a user can be given. @param self who may have it already @throws BAD_NAME, NAME_TAKEN */
export function freeName(home: Home, typed: string | undefined, self?: AccountId): string {
  const name = need(typed, 'The name');
  const why = isName(name) ? whyNotFree(name) : textOf('BAD_NAME');
  if (why !== undefined) throw new ClchatError('BAD_NAME', why);
  const other = namesake(home.space, name);
  if (other === undefined || (self !== undefined && other === home.nameOf(self))) return name;
  throw new ClchatError(
    'NAME_TAKEN',
    fold(other) === fold(name) ? undefined : `That name looks like "${other}".`,
  );
}
