/** What every implementation of the store demands of its keys. */
import { ClchatError } from '../errors.ts';
import type { StoreOperation } from './store.ts';

/** Printable ASCII: code units and bytes sort alike. No space first: that is a key of LevelDB's store. */
const KEY = /^[\u0021-\u007e][\u0020-\u007e]{0,511}$/;

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/**
 * @throws INTERNAL: keys are ours, made of ids and hashes, so a bad one is a mistake and not input
 */
export function checkKeys(operations: readonly StoreOperation[]): void {
  for (const { key } of operations)
    if (!isKey(key)) throw new ClchatError('INTERNAL', `not a key: ${JSON.stringify(key)}`);
}
