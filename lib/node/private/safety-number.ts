/**
 * Safety numbers: two people who read the same one to each other know that nobody stands between
 * them. It is made of the ids of both accounts and the keys that vouch for their devices.
 *
 *   a!<account>   the number that was compared with that account
 */
import { createHash } from 'node:crypto';
import { fromHex, utf8 } from '../../crdt/bytes.ts';
import type { AccountId } from '../../crdt/keys.ts';
import { presentAccount } from '../../crdt/records.ts';
import type { Home } from '../client/home.ts';

/** Times that a key is hashed: a key with the same digits is so much dearer to find. */
const ROUNDS = 5_200;
/** Groups of five digits for each of the two. */
const GROUPS = 6;
const BYTES_OF_GROUP = 5;

/** Whether the number of two was compared; `changed`: one was that is not the number any more. */
export type Comparison = 'yes' | 'no' | 'changed';

/** The digits of one account, in groups of five. */
function digitsOf(account: AccountId, key: Uint8Array): string {
  const id = fromHex(account);
  let digest = createHash('sha512').update(utf8('clchat safety v1\0')).update(id).digest();
  for (let round = 0; round < ROUNDS; round++)
    digest = createHash('sha512').update(digest).update(key).digest();
  return Array.from({ length: GROUPS }, (_, group) =>
    String(digest.readUIntBE(group * BYTES_OF_GROUP, BYTES_OF_GROUP) % 100_000).padStart(5, '0'),
  ).join(' ');
}

/**
 * The safety number of this account and another: twelve groups of five digits, the same for both.
 * @returns undefined where the other is not there any more
 */
export function safetyNumber({ space, account }: Home, other: AccountId): string | undefined {
  const digits: string[] = [];
  for (const id of [account, other]) {
    const record = presentAccount(space, id);
    if (record === undefined) return undefined;
    digits.push(digitsOf(id, fromHex(record.keyring.sign)));
  }
  return digits.sort().join(' ');
}

const keyOf = (account: AccountId): string => `a!${account}`;

/** Whether the number of this account and another was compared. */
export function comparisonWith(home: Home, other: AccountId): Comparison {
  const kept = home.replica.log.store.get(keyOf(other));
  if (kept === undefined) return 'no';
  return Buffer.from(kept).toString() === safetyNumber(home, other) ? 'yes' : 'changed';
}

/** Remembers on this device that the number as it is now was compared, or forgets it. */
export async function rememberComparison(
  home: Home,
  other: AccountId,
  isCompared: boolean,
): Promise<void> {
  const key = keyOf(other);
  const number = isCompared ? safetyNumber(home, other) : undefined;
  await home.replica.log.store.write(
    [number === undefined ? { type: 'delete', key } : { type: 'put', key, value: utf8(number) }],
    { sync: true },
  );
}
