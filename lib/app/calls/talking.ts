/** Tells who talks: of each person at most four times a second, whatever is heard. */
import { systemClock } from '../../lifecycle.ts';

/** Between two words about one person, in milliseconds. */
const APART_MS = 250;

interface Voice {
  /** As it was told last. */
  told: boolean;
  /** When that was: monotonic, in milliseconds. */
  at: number;
  isTalking: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class Talking {
  readonly #tell: (user: string, talking: boolean) => void;
  readonly #voices = new Map<string, Voice>();

  constructor(tell: (user: string, talking: boolean) => void) {
    this.#tell = tell;
  }

  note(user: string, talking: boolean): void {
    let voice = this.#voices.get(user);
    if (voice === undefined) {
      voice = { told: false, at: -Infinity, isTalking: false, timer: undefined };
      this.#voices.set(user, voice);
    }
    voice.isTalking = talking;
    this.#say(user, voice);
  }

  #say(user: string, voice: Voice): void {
    if (voice.timer !== undefined || voice.told === voice.isTalking) return;
    const now = systemClock.monotonic();
    const wait = voice.at + APART_MS - now;
    if (wait > 0) {
      voice.timer = setTimeout(() => {
        voice.timer = undefined;
        this.#say(user, voice);
      }, wait);
      voice.timer.unref();
      return;
    }
    voice.told = voice.isTalking;
    voice.at = now;
    this.#tell(user, voice.told);
  }

  /** Somebody is heard no more: they have left the call. */
  gone(user: string): void {
    if (this.#voices.has(user)) this.note(user, false);
  }

  /** Nobody is heard at the moment, whoever talked: what hears them begins anew. */
  reset(): void {
    for (const user of this.#voices.keys()) this.note(user, false);
  }

  /** The call is over, and with it all that was to be told of it. */
  stop(): void {
    for (const { timer } of this.#voices.values()) clearTimeout(timer);
    this.#voices.clear();
  }
}
