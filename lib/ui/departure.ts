/**
 * How a front end for people comes to its end: whoever would take a server away from others is asked
 * first, what is under way is finished, and an interrupt waits for that only so long.
 */
import type { App } from '../app/types.ts';
import { EXIT } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import type { Prompt, StopReason } from './prompt-contract.ts';
import type { Ending } from './runner.ts';

/** How long an interrupt waits for what is under way, in milliseconds. */
const INTERRUPT_MS = 2_000;
/** How long an end may take before the person is told why, in milliseconds. */
const PATIENCE_MS = 500;

export interface DepartureOptions {
  readonly app: Pick<App, 'status' | 'settle'>;
  readonly prompt: Pick<Prompt, 'ask' | 'print' | 'breakOff' | 'inPlace'>;
  /** Nobody is there to be asked. */
  readonly unattended: boolean;
  /** Goes on after the end of the input. */
  readonly headless: boolean;
  /** Resolves when every command given so far has been answered. */
  readonly idle: () => Promise<void>;
}

export class Departure {
  readonly #options: DepartureOptions;
  readonly #ended: Promise<Ending>;
  readonly #forced: Promise<void>;
  #finish: (ending: Ending) => void = () => undefined;
  #force: () => void = () => undefined;
  #isDecided = false;
  /** The person is asked whether to end. */
  #isAsking = false;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => (this.#finish = resolve));
    this.#forced = new Promise((resolve) => (this.#force = resolve));
  }

  /** That it ends is decided: nothing new is begun. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** Resolves with the end, when what was under way has been finished or given up. Never rejects. */
  async complete(): Promise<Ending> {
    const ending = await this.#ended;
    await Promise.race([this.#forced, this.#settle(ending)]);
    return ending;
  }

  /** Ends without a question. */
  end(ending: Ending): void {
    this.#isDecided = true;
    this.#finish(ending);
  }

  /** The person wants to end, which takes a server away from those who are there. */
  async leave(ending: Ending): Promise<void> {
    const { app, prompt, unattended } = this.#options;
    const { served = 0 } = app.status();
    if (served === 0 || this.#isAsking || this.#isDecided || unattended) return this.end(ending);
    this.#isAsking = true;
    const who = served === 1 ? '1 person is' : `${served} people are`;
    const isMeant = await prompt.ask
      .confirm(`${who} online; end the server?`, false)
      // Ctrl-C once more.
      .catch(() => true);
    this.#isAsking = false;
    if (isMeant) this.end(ending);
  }

  /** The input has ended, or was interrupted. */
  stop(reason: StopReason): void {
    const { prompt, headless } = this.#options;
    if (reason === 'end' || reason === 'unanswered') {
      const status = reason === 'end' ? EXIT.fine : EXIT.failed;
      const ending: Ending = { reason: 'end', status };
      if (!headless) void (prompt.inPlace ? this.leave(ending) : this.end(ending));
      return;
    }
    if (reason === 'force' || this.#isDecided) this.#force();
    void this.leave({ reason: 'interrupt', status: EXIT.interrupted });
  }

  /** Waits for what is under way; an interrupt not for long. */
  async #settle(ending: Ending): Promise<void> {
    const { app, prompt, idle } = this.#options;
    if (ending.reason === 'interrupt') prompt.breakOff();
    const gone = new AbortController();
    const work = async (): Promise<void> => {
      await idle();
      if (ending.reason !== 'interrupt') await app.settle().catch(() => undefined);
    };
    const notice = async (): Promise<void> => {
      await sleep(PATIENCE_MS, gone.signal);
      if (!gone.signal.aborted) prompt.print('Finishing what is under way. Ctrl-C ends at once.');
    };
    const limit = ending.reason === 'interrupt' ? [sleep(INTERRUPT_MS, gone.signal)] : [];
    void notice();
    await Promise.race([work(), ...limit]);
    gone.abort();
  }
}
