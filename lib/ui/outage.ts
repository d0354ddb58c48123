/**
 * What is said of a server that is away. A short outage is told in one line, once it is over: until
 * then the prompt shows it. A long one is told when it has lasted for a while, and when it is over.
 */
import type { AppEvent } from '../app/types.ts';
import type { Clock } from '../lifecycle.ts';
import { clean } from '../text.ts';

type ServerEvent = Extract<AppEvent, { readonly event: 'server' }>;

export interface OutageOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Prints an event as it is… */
  readonly tell: (event: ServerEvent) => void;
  /** …or a sentence of the program's own. */
  readonly say: (text: string) => void;
}

/** An outage that is over by then is told in one line, in milliseconds. */
const SHORT_MS = 20_000;

export class Outage {
  readonly #options: OutageOptions;
  /** Monotonic milliseconds; undefined while the server is there. */
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#since !== undefined;
  }

  /** @param isShown whether the prompt shows that the server is away */
  note(event: ServerEvent, isShown: boolean): void {
    const { clock, tell, say } = this.#options;
    const [since, timer] = [this.#since, this.#timer];
    this.stop();
    if (!event.connected) {
      this.#since = since ?? clock.monotonic();
      if (!isShown || (since !== undefined && timer === undefined)) return tell(event);
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        tell(event);
      }, SHORT_MS);
      this.#timer.unref();
      return;
    }
    this.#since = undefined;
    if (since === undefined || timer === undefined) return tell(event);
    const seconds = Math.max(1, Math.round((clock.monotonic() - since) / 1_000));
    say(
      `The server ${clean(event.name)} was away for ${seconds} ${seconds === 1 ? 'second' : 'seconds'} and is back.`,
    );
  }

  /**
   * Whoever logs in or out has nothing to do with what was before.
   * @param server where one is logged in now
   */
  restart(
    server: { readonly name: string; readonly connected: boolean } | undefined,
    isShown: boolean,
  ): void {
    this.stop();
    this.#since = undefined;
    if (server?.connected === false)
      this.note({ event: 'server', connected: false, name: server.name }, isShown);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
