/**
 * Which tone is heard: for tests of a call, and for those who want to know whether their sound gets
 * to the others. Costs next to nothing until it is asked.
 */
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';
import { powerSpectrum } from './fourier.ts';
import { FULL_SCALE, requireSound } from './samples.ts';

/** Of how much sound the tone is measured: 200 ms. */
const KEPT = SAMPLE_RATE / 5;
/** One sample of so many is enough for tones up to 4 kHz, once what is above is taken out. */
const REDUCTION = 4;
const RATE = SAMPLE_RATE / REDUCTION;
const REDUCED = KEPT / REDUCTION;
/** The power of two above it; the frequencies are finer by the zeros that fill it up. */
const POINTS = 4_096;
const HERTZ = RATE / POINTS;
/** How far a tone spreads in the spectrum of so short a time, in Hz. */
const SPREAD = 12;
/** What is looked for, in Hz. */
const LOWEST = 70;
const HIGHEST = 4_400;
/** A tone is clear that has this share of the energy. */
const CLEAR = 0.4;
/** Below that, as a mean square of full scale, there is nothing: −60 dBFS. */
const LEAST_POWER = 1e-6;

/** Takes out what is above half the reduced rate: a sinc in the window of Blackman. */
const FILTER = Float64Array.from({ length: 71 }, (_, n) => {
  const at = n - 35;
  const cutoff = 0.9 / REDUCTION;
  const sinc = at === 0 ? cutoff : Math.sin(Math.PI * cutoff * at) / (Math.PI * at);
  const turn = (Math.PI * at) / 36;
  return sinc * (0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
});
/** So that both ends are nothing: the spectrum of what begins and ends abruptly is spread out. */
const WINDOW = bell(REDUCED);

// Where a packet was lost, what the decoder makes up does not go on quite in step, and the whole
// would seem to be of another frequency. So the steps between short parts are looked at one by one.
const PART = bell(RATE / 25);
const STEP = RATE / 100;

/** The window of Hann. */
function bell(length: number): Float64Array {
  const turn = (2 * Math.PI) / length;
  return Float64Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos(turn * (n + 0.5)));
}

export class ToneMeter {
  /** The last 200 ms, the oldest of it at `#next`. */
  readonly #kept = new Int16Array(KEPT);
  #next = 0;
  /** What is in it, once it was asked for. */
  #samples: Float64Array | undefined;
  #spectrum: Float64Array | undefined;

  /** The next 10 ms; undefined where nothing came in that time. */
  hear(sound: Sound | undefined): void {
    if (sound === undefined) this.#kept.fill(0, this.#next, this.#next + SOUND_SAMPLES);
    else {
      requireSound(sound);
      this.#kept.set(sound, this.#next);
    }
    this.#next = (this.#next + SOUND_SAMPLES) % KEPT;
    this.#samples = undefined;
    this.#spectrum = undefined;
  }

  /** The loudest tone from 70 to 4,400 Hz; undefined where none stands out. */
  frequency(): number | undefined {
    const power = this.#power();
    let peak = Math.ceil(LOWEST / HERTZ);
    for (let n = peak; n <= HIGHEST / HERTZ; n++) if (power[n]! > power[peak]!) peak = n;
    if (this.share(peak * HERTZ) < CLEAR) return undefined;
    return this.#refined(peak * HERTZ);
  }

  /** How much of all energy below 5 kHz is at that frequency, from 0 to 1; 0 where it is silent. */
  share(frequency: number): number {
    const power = this.#power();
    const from = Math.max(0, Math.round((frequency - SPREAD) / HERTZ));
    const to = Math.round((frequency + SPREAD) / HERTZ);
    let [here, all] = [0, 0];
    for (let n = 0; n < power.length; n++) {
      all += power[n]!;
      if (n >= from && n <= to) here += power[n]!;
    }
    // Energy of the window and of the points, as `powerSpectrum` adds them up.
    return (2 * all) / (POINTS * REDUCED * 0.375) < LEAST_POWER ? 0 : here / all;
  }

  /** By how much the tone gets ahead of one that is about the same, from one part to the next. */
  #refined(frequency: number): number {
    const samples = this.#reduced();
    const turn = (2 * Math.PI * frequency) / RATE;
    const real = samples.map((sample, n) => sample * Math.cos(turn * n));
    const imaginary = samples.map((sample, n) => -sample * Math.sin(turn * n));
    const angles: number[] = [];
    for (let start = 0; start + PART.length <= REDUCED; start += STEP) {
      let [cosine, sine] = [0, 0];
      for (let n = 0; n < PART.length; n++) {
        cosine += PART[n]! * real[start + n]!;
        sine += PART[n]! * imaginary[start + n]!;
      }
      angles.push(Math.atan2(sine, cosine));
    }
    const ahead = angles
      .slice(1)
      .map((angle, n) => angle - angles[n]!)
      .map((angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI)))
      .sort((one, other) => one - other);
    const median = ahead[Math.floor(ahead.length / 2)] ?? 0;
    return frequency + (median * RATE) / (2 * Math.PI * STEP);
  }

  #power(): Float64Array {
    if (this.#spectrum === undefined) {
      const points = new Float64Array(POINTS);
      const samples = this.#reduced();
      for (let n = 0; n < REDUCED; n++) points[n] = samples[n]! * WINDOW[n]!;
      this.#spectrum = powerSpectrum(points);
    }
    return this.#spectrum;
  }

  #reduced(): Float64Array {
    if (this.#samples !== undefined) return this.#samples;
    const reduced = new Float64Array(REDUCED);
    // Nothing before and after, so that the filter has something to go over at both ends.
    const kept = new Float64Array(KEPT + FILTER.length);
    const edge = (FILTER.length - 1) / 2;
    kept.set(this.#kept.subarray(this.#next), edge);
    kept.set(this.#kept.subarray(0, this.#next), edge + KEPT - this.#next);
    for (let n = 0; n < REDUCED; n++) {
      const first = n * REDUCTION;
      let sum = 0;
      for (let tap = 0; tap < FILTER.length; tap++) sum += FILTER[tap]! * kept[first + tap]!;
      reduced[n] = sum / FULL_SCALE;
    }
    this.#samples = reduced;
    return reduced;
  }
}
