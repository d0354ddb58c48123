/** Messages that tell when they were said, and who counts them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './stats.ts';

/** Every so often those that are due are said, in milliseconds. */
const TICK_MS = 5;

/** A text of exactly `size` bytes that begins with the time of its saying. */
export function textOfSize(at: number, size: number): string {
  return `${at.toFixed(3)} `.padEnd(size, 'abcdefghijklmnopqrstuvwxyz ');
}

const TEXT = /^(\d+\.\d{3}) [a-z ]+$/;

export interface HeardReport {
  /** Readable messages. */
  readonly count: number;
  /** Messages that were not what was said. */
  readonly bad: number;
  /** From the saying to the hearing of each, in milliseconds. */
  readonly lags: number[];
  /** When the last was heard. */
  readonly last: number;
}

/** Counts what is heard. */
export class Heard {
  #lags: number[] = [];
  #bad = 0;
  #last = 0;
  #since = 0;

  take(text: string): void {
    const said = TEXT.exec(text)?.[1];
    if (said === undefined) this.#bad += 1;
    else if (Number(said) >= this.#since) {
      this.#last = now();
      this.#lags.push(this.#last - Number(said));
    }
  }

  /** Begins anew: what was said before counts no more. */
  begin(): void {
    this.#since = now();
    this.report();
  }

  /** What came since the last report. */
  report(): HeardReport {
    const lags = this.#lags;
    const report = { count: lags.length, bad: this.#bad, lags, last: this.#last };
    this.#lags = [];
    this.#bad = 0;
    return report;
  }
}

/**
 * Calls `say` at a steady rate, whatever becomes of what was said.
 * @param rate times a second
 * @returns how many times it was called
 */
export async function paced(
  rate: number,
  seconds: number,
  say: (number: number) => void,
): Promise<number> {
  const begun = now();
  const total = Math.round(rate * seconds);
  for (let said = 0; said < total;) {
    const due = Math.min(total, Math.floor(((now() - begun) / 1_000) * rate) + 1);
    while (said < due) say(said++);
    if (said < total) await sleep(Math.min(TICK_MS, 1_000 / rate));
  }
  return total;
}
