/** What of the microphone is sent: always, while somebody talks, or while a key is held. */
import { SOUND_MS, SOUND_SAMPLES, type Sound } from '../frames.ts';
import { fadedIn, fadedOut, Loudness, requireSound } from './samples.ts';

/** `open`: whatever is heard; `activity`: what is loud enough; `push`: while the key is held. */
export type GateMode = 'open' | 'activity' | 'push';

export interface GateOptions {
  readonly mode?: GateMode;
  /** From which level on `activity` sends, in dBFS. */
  readonly threshold?: number;
}

/** Between the noise of a room and somebody who talks into a microphone, in dBFS. */
const THRESHOLD = -45;
/** How far it may fall below while it is being sent: it does not flutter about the threshold. */
const HYSTERESIS = 4;
/** What came just before is sent, too: words begin softly. */
const LOOK_BACK = 60 / SOUND_MS;
/** For how long it is still sent when it has become too quiet; and when the key is let go. */
const HANG = 400 / SOUND_MS;
const TAIL = 150 / SOUND_MS;
/** Nothing is heard below that level, in dBFS; after so long, it is not sent in any mode. */
const SILENT = -65;
const SILENT_FOR = 500 / SOUND_MS;

/** Sounds that are handed to it must not be changed afterwards. */
export class MicrophoneGate {
  readonly #loudness = new Loudness();
  #mode: GateMode;
  #threshold: number;
  #isHeld = false;
  #isOpen = false;
  /** Sounds that have been silent in a row. */
  #silent = SILENT_FOR;
  /** Sounds that will yet be sent without a further reason. */
  #left = 0;
  #before: Sound[] = [];
  #lastSample = 0;

  constructor({ mode = 'open', threshold = THRESHOLD }: GateOptions = {}) {
    this.#mode = mode;
    this.#threshold = threshold;
  }

  get mode(): GateMode {
    return this.#mode;
  }

  set mode(mode: GateMode) {
    this.#mode = mode;
    this.#left = 0;
    this.#before = [];
  }

  /** In dBFS. */
  get threshold(): number {
    return this.#threshold;
  }

  set threshold(decibels: number) {
    this.#threshold = decibels;
  }

  /** Whether the key is held by which one talks. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld;
  }

  /** Whether it is being sent what is heard now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * @param sound what the microphone has heard in the last 10 ms
   * @returns what is to be sent now: nothing, one sound, or with what came before it several
   * @throws BAD_MESSAGE for what is not 10 ms of sound
   */
  take(sound: Sound): Sound[] {
    requireSound(sound);
    const isWanted = this.#isWanted(this.#loudness.measure(sound));
    if (isWanted) {
      this.#lastSample = sound.at(-1)!;
      if (this.#isOpen) return [sound];
      this.#isOpen = true;
      const [first = sound, ...others] = [...this.#before, sound];
      this.#before = [];
      return [fadedIn(first), ...others];
    }
    if (this.#isOpen) {
      this.#isOpen = false;
      return [fadedOut(sound)];
    }
    // What was heard while the key was not held is nobody's business.
    if (this.#mode === 'activity') this.#before = [...this.#before, sound].slice(-LOOK_BACK);
    return [];
  }

  /** The microphone has been switched off. @returns what is to be sent last, of which nothing was heard */
  end(): Sound[] {
    this.#before = [];
    this.#left = 0;
    this.#silent = SILENT_FOR;
    if (!this.#isOpen) return [];
    this.#isOpen = false;
    return [fadedOut(new Int16Array(SOUND_SAMPLES).fill(this.#lastSample))];
  }

  #isWanted(level: number): boolean {
    this.#silent = level < SILENT ? this.#silent + 1 : 0;
    this.#left = Math.max(0, this.#left - 1, this.#more(level));
    return this.#left > 0 && this.#silent < SILENT_FOR;
  }

  /** For how many sounds from now on it is to be sent by what is so now. */
  #more(level: number): number {
    switch (this.#mode) {
      case 'open':
        return 1;
      case 'activity':
        return level >= this.#threshold - (this.#isOpen ? HYSTERESIS : 0) ? HANG : 0;
      case 'push':
        return this.#isHeld ? TAIL : 0;
    }
  }
}
