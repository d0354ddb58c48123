/** The chain of this device in the space, where entries go to the server by two ways. */
import { hasCode } from '../../errors.ts';
import { until } from '../../lifecycle.ts';
import { Turns } from '../turns.ts';
import type { SpacePlace } from './auth.ts';
import type { Home } from './home.ts';

/** How long what was judged may take to come back here, in milliseconds. */
const ARRIVAL_MS = 10_000;
/** Tries: each but the first follows something of before that has come back. */
const TRIES = 50;

/**
 * Waits until what this device has written in the space, up to a number, is in the replica with all
 * that it changed. What takes too long is not waited for.
 */
export async function returned(home: Pick<Home, 'spacePlace'>, seq: number): Promise<void> {
  await until(ARRIVAL_MS, () => home.spacePlace.seq > seq);
}

type Place = Pick<Home, 'spacePlace' | 'outbox'>;

/** A session registers one password at a time, and they would all take the same place. */
const turns = new WeakMap<Place, Turns>();

/**
 * Submits an entry of the space past the outbox, one at a time: after what waits there, and again where something
 * that this device wrote before had not come back yet.
 * @throws as `submit`
 */
export function inTurn<T>(home: Place, submit: (place: SpacePlace) => Promise<T>): Promise<T> {
  let turn = turns.get(home);
  if (turn === undefined) turns.set(home, (turn = new Turns(1)));
  return turn.run(() => again(home, submit));
}

async function again<T>(home: Place, submit: (place: SpacePlace) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    await home.outbox.settled();
    const place = home.spacePlace;
    try {
      const result = await submit(place);
      await returned(home, place.seq);
      return result;
    } catch (error) {
      if (!hasCode(error, 'OUT_OF_ORDER') || tries === TRIES) throw error;
      await returned(home, place.seq);
    }
  }
}
