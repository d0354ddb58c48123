/**
 * The sound of one person between two clocks: that of whoever gives it, in whatever pieces, and that
 * of whoever takes 10 ms at a time. Where they drift apart, or one of them falters, a little is left
 * out or said twice, at a place where it fits.
 */
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';
import { FADE_SAMPLES } from './samples.ts';

const MILLISECOND = SAMPLE_RATE / 1_000;
/** So much is there before the first of it is given: pieces come unevenly. */
const BEFORE_START = 20 * MILLISECOND;
/** What is kept back, so that there is something to fade from when no more comes. */
const RESERVE = FADE_SAMPLES;
const NEEDED = SOUND_SAMPLES + RESERVE;
/** More does not wait; and so much of it is left when it was more: who is late takes some at once. */
const MOST_WAITING = 200 * MILLISECOND;
const AFTER_DELAY = 60 * MILLISECOND;
/** What lies in the ring with what has been given: enough to say it again. A power of two. */
const RING = 32_768;
const MASK = RING - 1;

/** How loud it is, one sound after the other, while there is nothing but what was said before. */
const AGAIN = [1, 0.8, 0.6, 0.4, 0.2];
/** Beyond the least that has to be said again or left out, a better place is looked for so far. */
const SEARCHED = 600;
/** What may wait beyond the need all the time. */
const SPARE = 15 * MILLISECOND;
/** For so many sounds, more must have waited before something is left out; fewer if it is far more. */
const WATCHED = 200;
const WATCHED_FAR = 50;
const FAR = 60 * MILLISECOND;

export interface VoiceState {
  /** Milliseconds that wait to be given. */
  readonly waiting: number;
  /** How often something was said again, or left out, to keep in step. */
  readonly repeated: number;
  readonly dropped: number;
}

export class Voice {
  readonly #ring = new Int16Array(RING);
  /** Counts of samples since the beginning; the places in the ring are these modulo its length. */
  #written = 0;
  #read = 0;
  /** Where what is in the ring without a break begins. */
  #begun = 0;
  /** Samples written last that are zero. */
  #zeros = 0;
  #isPlaying = false;
  #fadesIn = false;
  /** What was given last, if something was left out since, to fade from. */
  #leftAt: number | undefined;
  /** How much had been written when there was too little. */
  #ranOutAt = -1;
  /** Sounds that were taken since then, while nothing has come. */
  #again = 0;
  #gain = 1;
  #least = Infinity;
  #watched = 0;
  #repeated = 0;
  #dropped = 0;

  get state(): VoiceState {
    const waiting = (this.#written - this.#read) / MILLISECOND;
    return { waiting, repeated: this.#repeated, dropped: this.#dropped };
  }

  /** @param samples at 48 kHz, not more than 200 ms */
  put(samples: Int16Array): void {
    const silent = silentEnd(samples);
    // Silence is not waited for: it would only keep back what comes after it.
    if (silent === samples.length && !this.#isPlaying && this.#written === this.#read) return;
    const place = this.#written & MASK;
    const first = Math.min(samples.length, RING - place);
    this.#ring.set(samples.subarray(0, first), place);
    this.#ring.set(samples.subarray(first), 0);
    this.#written += samples.length;
    this.#zeros = silent === samples.length ? this.#zeros + silent : silent;
    this.#begun = Math.max(this.#begun, this.#written - RING);
    if (this.#written - this.#read <= MOST_WAITING) return;
    this.#leftAt ??= this.#read;
    this.#read = this.#written - MOST_WAITING;
    // What was to come then is overwritten: there is nothing to fade from.
    if (this.#written - this.#leftAt > RING) this.#fadesIn = true;
  }

  /**
   * The next 10 ms.
   * @param into where they are put
   * @returns whether there is anything to hear
   */
  take(into: Sound): boolean {
    if (!this.#isPlaying && !this.#start()) return false;
    if (this.#written - this.#read <= this.#zeros && this.#leftAt === undefined) return this.#end();
    const gain = this.#gainNow();
    if (gain === undefined) return this.#fadeAway(into);
    if (this.#leftAt !== undefined) this.#catchUp(into, this.#leftAt);
    else if (this.#written - this.#read < NEEDED) {
      if (!this.#goBack(into)) return this.#fadeAway(into);
    } else if (this.#hasTooMuch()) this.#leaveOut(into);
    else this.#copy(into, this.#read);
    this.#read += SOUND_SAMPLES;
    this.#finish(into, gain);
    return true;
  }

  /** @returns undefined where nothing has come for so long that there is nothing left to say */
  #gainNow(): number | undefined {
    if (this.#written === this.#ranOutAt) return AGAIN[++this.#again];
    this.#again = 0;
    return AGAIN[0];
  }

  #start(): boolean {
    if (this.#written - this.#read < BEFORE_START) return false;
    this.#isPlaying = true;
    this.#fadesIn = true;
    this.#read = Math.max(this.#read, this.#written - AFTER_DELAY);
    this.#begun = this.#read;
    this.#leftAt = undefined;
    this.#least = Infinity;
    this.#watched = 0;
    this.#gain = 1;
    return true;
  }

  /** Nothing but silence is left, or nothing at all. */
  #end(): false {
    this.#isPlaying = false;
    this.#read = this.#written;
    return false;
  }

  /** Too little has come. Goes back to what was said before, and then goes on from there. */
  #goBack(into: Sound): boolean {
    const least = NEEDED - (this.#written - this.#read);
    const most = Math.min(least + SEARCHED, this.#read - this.#begun);
    if (most < least) return false;
    const from = this.#read;
    this.#read = this.#bestPlace(from - most, from - least, from);
    this.#crossfade(into, from);
    this.#ranOutAt = this.#written;
    this.#repeated++;
    return true;
  }

  #fadeAway(into: Sound): boolean {
    const left = Math.min(this.#written - this.#read, FADE_SAMPLES);
    if (left <= 0) return this.#end();
    into.fill(0);
    for (let n = 0; n < left; n++)
      into[n] = this.#gain * this.#ring[(this.#read + n) & MASK]! * (1 - n / left);
    this.#end();
    return true;
  }

  /** Nobody has taken anything for long: what is newest counts. */
  #catchUp(into: Sound, from: number): void {
    const place = this.#written - AFTER_DELAY;
    this.#read = this.#bestPlace(place - SEARCHED, place, from);
    this.#crossfade(into, from);
    this.#leftAt = undefined;
    this.#dropped++;
  }

  /** Whether more has waited all the time than has to. */
  #hasTooMuch(): boolean {
    const waiting = this.#written - this.#read;
    this.#least = Math.min(this.#least, waiting - NEEDED);
    if (++this.#watched < (this.#least > FAR ? WATCHED_FAR : WATCHED)) return false;
    const isTooMuch = this.#least > SPARE;
    this.#watched = 0;
    this.#least = Infinity;
    return isTooMuch;
  }

  #leaveOut(into: Sound): void {
    const from = this.#read;
    const most = Math.min(SOUND_SAMPLES + RESERVE, this.#written - from - NEEDED);
    this.#read = this.#bestPlace(from + RESERVE, from + Math.max(RESERVE, most), from);
    this.#crossfade(into, from);
    this.#dropped++;
  }

  /** Where in that range it sounds most like what would come next otherwise. */
  #bestPlace(from: number, to: number, next: number): number {
    let [best, least] = [to, Infinity];
    for (let place = to; place >= from; place -= 2) {
      let difference = 0;
      for (let n = 0; n < FADE_SAMPLES && difference < least; n += 6)
        difference += Math.abs(this.#ring[(place + n) & MASK]! - this.#ring[(next + n) & MASK]!);
      if (difference < least) [best, least] = [place, difference];
    }
    return best;
  }

  #copy(into: Sound, from: number): void {
    const place = from & MASK;
    const first = Math.min(SOUND_SAMPLES, RING - place);
    into.set(this.#ring.subarray(place, place + first));
    into.set(this.#ring.subarray(0, SOUND_SAMPLES - first), first);
  }

  /** What is at `#read`, into which one comes from elsewhere. */
  #crossfade(into: Sound, from: number): void {
    this.#copy(into, this.#read);
    for (let n = 0; n < FADE_SAMPLES; n++) {
      const share = n / FADE_SAMPLES;
      into[n] = into[n]! * share + this.#ring[(from + n) & MASK]! * (1 - share);
    }
  }

  /** Goes over to so much of its loudness. */
  #finish(into: Sound, gain: number): void {
    if (this.#gain !== 1 || gain !== 1) {
      const step = (gain - this.#gain) / SOUND_SAMPLES;
      for (let n = 0; n < SOUND_SAMPLES; n++) into[n] = into[n]! * (this.#gain + n * step);
      this.#gain = gain;
    }
    if (!this.#fadesIn) return;
    this.#fadesIn = false;
    for (let n = 0; n < FADE_SAMPLES; n++) into[n] = (into[n]! * n) / FADE_SAMPLES;
  }
}

/** How many samples at the end are zero. */
function silentEnd(samples: Int16Array): number {
  let at = samples.length;
  while (at > 0 && samples[at - 1] === 0) at--;
  return samples.length - at;
}
