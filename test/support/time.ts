/** Time that passes when a test lets it. */
import { install, type Clock } from '@sinonjs/fake-timers';
import { NOW } from './community.ts';

/** Timers and clocks of this process, until it is uninstalled. Microtasks and crypto go on by themselves. */
export function fakeClock(): Clock {
  return install({
    now: NOW,
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
      'clearImmediate',
      'Date',
      'performance',
    ],
  });
}

/** What is done every so often, by all that begins while this is here, is done when a test says so. */
export class HeldIntervals {
  readonly #clock: Clock = install({ now: NOW, toFake: ['setInterval', 'clearInterval'] });

  /** Does what is due within so many milliseconds. */
  pass(milliseconds: number): void {
    this.#clock.tick(milliseconds);
  }

  restore(): void {
    this.#clock.uninstall();
  }
}

export class FakeTime {
  readonly #clock: Clock = fakeClock();

  /** Milliseconds that have passed. */
  get passed(): number {
    return this.#clock.now - NOW;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.#clock.tickAsync(milliseconds);
  }

  /** Lets time pass until a promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const done = (): void => void (isSettled = true);
    promise.then(done, done);
    while (!isSettled) await this.#clock.tickAsync(1);
    return promise;
  }

  restore(): void {
    this.#clock.uninstall();
  }
}
