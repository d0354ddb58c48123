/** Whether a person is there: what is shown to nobody has been read by nobody. */
import type { App } from '../app/types.ts';
import type { Clock } from '../lifecycle.ts';

/** The App is told of activity at most so often, in milliseconds. */
const TOUCH_MS = 1_000;
/** Whoever has pressed no key for so long may have gone away, in milliseconds. */
const AWAY_MS = 120_000;

export interface AttentionOptions {
  readonly app: Pick<App, 'touch' | 'seen'>;
  readonly clock: Clock;
  /** Somebody may be there at all. */
  readonly attended: boolean;
}

export class Attention {
  readonly #options: AttentionOptions;
  #active: number;
  #touched = Number.NEGATIVE_INFINITY;

  constructor(options: AttentionOptions) {
    this.#options = options;
    // Whoever has just started the program is there.
    this.#active = options.clock.monotonic();
  }

  /** A key was pressed. */
  touch(): void {
    const { app, clock, attended } = this.#options;
    const now = clock.monotonic();
    this.#active = now;
    if (now - this.#touched < TOUCH_MS) return;
    this.#touched = now;
    app.touch();
    // Whoever comes back sees what was shown meanwhile.
    if (attended) app.seen();
  }

  /** Something was shown. */
  shown(): void {
    const { app, clock, attended } = this.#options;
    if (attended && clock.monotonic() - this.#active < AWAY_MS) app.seen();
  }
}
