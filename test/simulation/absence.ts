/** Since when devices are crashed or cut off, and what a conference may outlive. */
import assert from 'node:assert/strict';
import { LogStore } from '../../lib/crdt/log-store.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { GRACE_MS } from '../../lib/node/server/conference-life.ts';
import { conferenceRooms } from './meetings.ts';

/** How long it takes the server at most to find that a device says nothing any more, and some more. */
const NOTICE_MS = 20_000;

export class Absence {
  /** By the number of the device: crashed, or cut off, each since when. */
  readonly #down = new Map<number, number>();
  readonly #cut = new Map<number, number>();
  #serverSince = Infinity;

  crashed(number: number): void {
    this.#down.set(number, performance.now());
  }

  started(number: number): void {
    this.#down.delete(number);
  }

  cut(number: number): void {
    if (!this.#cut.has(number)) this.#cut.set(number, performance.now());
  }

  restored(number: number): void {
    this.#cut.delete(number);
  }

  serverStarted(): void {
    this.#serverSince = performance.now();
  }

  serverCrashed(): void {
    this.#serverSince = Infinity;
  }

  /** For how long none of an account's devices can have been at the server. */
  #of(devices: readonly number[]): number {
    const now = performance.now();
    const since = (number: number): number =>
      Math.min(this.#down.get(number) ?? now, this.#cut.get(number) ?? now);
    return Math.min(now - this.#serverSince, ...devices.map((number) => now - since(number)));
  }

  /** No conference outlives its owner's absence by more than the grace. */
  async check(
    devices: ReadonlyMap<AccountId, readonly number[]>,
    store: Store,
    seed: string,
  ): Promise<void> {
    const limit = GRACE_MS + NOTICE_MS;
    const gone = [...devices].filter(([, numbers]) => this.#of(numbers) > limit);
    if (gone.length === 0) return;
    const { state } = await new LogStore(store).open('space');
    for (const [id, { owner }] of conferenceRooms(state))
      for (const [account, numbers] of gone)
        assert.notEqual(owner, account, `${seed}: ${id} outlives device ${numbers.join()}`);
  }
}
