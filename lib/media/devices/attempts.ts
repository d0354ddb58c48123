/** One way after the other, until something opens. */
import { hasCode, type ClchatError } from '../../errors.ts';
import { noDevice } from './refusals.ts';

/** How long opening a device may take, in milliseconds. */
export const OPEN_MS = 5_000;

/** @param milliseconds that are left for it */
export type Way<T> = (milliseconds: number) => Promise<T>;

/**
 * Tries one way after the other.
 * @throws NO_DEVICE: that of the first, which is the way that should have been
 */
export async function firstToOpen<T>(ways: readonly Way<T>[], openMs = OPEN_MS): Promise<T> {
  const begun = performance.now();
  let first: ClchatError | undefined;
  for (const way of ways) {
    const left = openMs - (performance.now() - begun);
    if (left <= 0) break;
    try {
      return await way(left);
    } catch (error) {
      if (!hasCode(error, 'NO_DEVICE')) throw error;
      first ??= error;
    }
  }
  throw first ?? noDevice('There is no way to open it here.');
}
