/** What is done to samples in more than one place: their loudness, and fading them in and out. */
import { ClchatError } from '../../errors.ts';
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';

/** What 0 dBFS is: the amplitude beyond which nothing can be said in 16 bits. */
export const FULL_SCALE = 32_768;
/** What is called the level of no sound at all, in dBFS. */
export const SILENCE = -100;
/** How long it takes to fade in or out so that it does not click: 5 ms. */
export const FADE_SAMPLES = (5 * SAMPLE_RATE) / 1_000;

/** @throws BAD_MESSAGE for what is not 10 ms of samples */
export function requireSound(sound: Sound): void {
  if (sound.length !== SOUND_SAMPLES)
    throw new ClchatError('BAD_MESSAGE', `That is no sound: ${sound.length} samples.`);
}

/** @param amplitude of `FULL_SCALE`, of the root of a mean square: 1 is 0 dBFS */
export function decibels(amplitude: number): number {
  return amplitude <= 0 ? SILENCE : Math.max(SILENCE, 20 * Math.log10(amplitude));
}

/** A copy that comes in from nothing. */
export function fadedIn(sound: Sound): Sound {
  const faded = sound.slice();
  for (let n = 0; n < FADE_SAMPLES; n++) faded[n] = (sound[n]! * n) / FADE_SAMPLES;
  return faded;
}

/** A copy that goes out to nothing at once, and stays there. */
export function fadedOut(sound: Sound): Sound {
  const faded = new Int16Array(sound.length);
  for (let n = 0; n < FADE_SAMPLES; n++) faded[n] = sound[n]! * (1 - n / FADE_SAMPLES);
  return faded;
}

/**
 * How loud one sound after the other is. A constant offset, as cheap microphones have it, is no
 * sound; it is learned as they come.
 */
export class Loudness {
  #offset = 0;

  /** @returns the root of the mean square in dBFS, from `SILENCE` to 0: a full sine has −3 */
  measure(sound: Sound): number {
    let [sum, squares] = [0, 0];
    for (let n = 0; n < sound.length; n++) {
      const sample = sound[n]!;
      sum += sample;
      squares += sample * sample;
    }
    if (squares === 0 || sound.length === 0) return SILENCE;
    const mean = sum / sound.length;
    const power = squares / sound.length - 2 * mean * this.#offset + this.#offset ** 2;
    // So slowly that no tone is taken for an offset.
    this.#offset += (mean - this.#offset) * 0.01;
    return decibels(Math.sqrt(Math.max(0, power)) / FULL_SCALE);
  }
}
