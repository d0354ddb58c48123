/** What the server does for one device at the same time, whatever number of channels it opens. */
import type { PublicKey } from '../../crdt/keys.ts';
import { ServingBudget } from '../exchange.ts';
import { Turns } from '../turns.ts';

/** Answers made at once that hold a portion of a log each. */
const READINGS = 4;

export class Lane {
  /** Submissions are judged in the order in which they came. */
  readonly submissions = new Turns(1);
  readonly readings = new Turns(READINGS);
  readonly receipts = new Turns(1);
  readonly budget = new ServingBudget();
  /** Channels that are open, or that asked for something which is still being done. */
  channels = 0;
}

export class Lanes {
  readonly #lanes = new Map<PublicKey, Lane>();

  /** Devices of which something is kept here. */
  get size(): number {
    return this.#lanes.size;
  }

  /** A channel of the device begins. */
  enter(device: PublicKey): Lane {
    let lane = this.#lanes.get(device);
    if (lane === undefined) this.#lanes.set(device, (lane = new Lane()));
    lane.channels++;
    return lane;
  }

  /** A channel has ended. What it asked for still counts until it is done with. */
  async leave(device: PublicKey): Promise<void> {
    const lane = this.#lanes.get(device);
    if (lane === undefined) return;
    await lane.budget.idle();
    if (--lane.channels === 0) this.#lanes.delete(device);
  }
}
