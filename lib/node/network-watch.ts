/**
 * Notices that this host has other addresses than before, or was asleep: connections may be dead
 * then, though nothing has said so.
 */
import { listCards, type Card } from '../interfaces.ts';
import { systemClock, type Clock } from '../lifecycle.ts';

export interface NetworkWatchOptions {
  readonly onChange: () => void;
  readonly cards?: () => readonly Card[];
  readonly clock?: Clock;
}

/** How often it is looked, in milliseconds. */
const LOOK_MS = 1_000;
/** Whoever looks so much later than was due has been asleep, in milliseconds. */
const ASLEEP_MS = 3_000;

/** @returns ends it */
export function watchNetwork({
  onChange,
  cards = listCards,
  clock = systemClock,
}: NetworkWatchOptions): () => void {
  const look = (): string =>
    cards()
      .map(({ name, address }) => `${name} ${address}`)
      .sort()
      .join();
  let before = look();
  // The monotonic time may stand still while a host sleeps, and that of the wall may be set.
  let last = { wall: clock.now(), monotonic: clock.monotonic() };
  const timer = setInterval(() => {
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    const late = Math.max(now.wall - last.wall, now.monotonic - last.monotonic) - LOOK_MS;
    const seen = look();
    const hasChanged = seen !== before || late > ASLEEP_MS;
    [before, last] = [seen, now];
    if (hasChanged) onChange();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
