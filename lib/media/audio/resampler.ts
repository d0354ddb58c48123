/** Sound of any usual rate, of one or two channels, as one channel of 48 kHz. */
import { SAMPLE_RATE } from '../frames.ts';

/** Rates that devices and codecs have, in samples a second; all others are refused. */
const RATES: readonly number[] = [
  8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];
/** How much may come at a time, in shares of a second. */
const MOST_SECONDS = 0.2;

/** Sound as WebRTC gives it. */
export interface Heard {
  /** Those of all channels at one time, then those at the next. */
  readonly samples: Int16Array;
  /** A second, of each channel. */
  readonly sampleRate: number;
  readonly channelCount: number;
}

/** Whether it can be understood: a rate and channels that are known, and up to 200 ms of whole samples. */
export function isHeard({ samples, sampleRate, channelCount }: Heard): boolean {
  return (
    RATES.includes(sampleRate) &&
    (channelCount === 1 || channelCount === 2) &&
    samples instanceof Int16Array &&
    samples.length > 0 &&
    samples.length % channelCount === 0 &&
    samples.length <= MOST_SECONDS * sampleRate * channelCount
  );
}

/** Samples of the input that make up one of the output. */
const TAPS = 16;
/** Share of the input's frequencies that is kept: above, its mirror image begins. */
const PASSED = 0.92;

/** Of how many parts a step of the output is, of which one of the input has `up`. */
interface Ratio {
  readonly up: number;
  readonly down: number;
  /** `TAPS` weights for each of `up` places between two samples of the input. */
  readonly weights: Float32Array;
}

const ratios = new Map<number, Ratio>();

function ratioOf(rate: number): Ratio {
  let ratio = ratios.get(rate);
  if (ratio !== undefined) return ratio;
  let [divisor, rest] = [SAMPLE_RATE, rate];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  const up = SAMPLE_RATE / divisor;
  const weights = new Float32Array(up * TAPS);
  for (let place = 0; place < up; place++) {
    const row = weights.subarray(place * TAPS, (place + 1) * TAPS);
    for (let tap = 0; tap < TAPS; tap++) row[tap] = kernel(tap - (TAPS / 2 - 1) - place / up);
    const sum = row.reduce((total, weight) => total + weight, 0);
    for (let tap = 0; tap < TAPS; tap++) row[tap] = row[tap]! / sum;
  }
  ratio = { up, down: rate / divisor, weights };
  ratios.set(rate, ratio);
  return ratio;
}

/** A sinc in a window of Hann, `at` samples of the input from its middle. */
function kernel(at: number): number {
  const sinc = at === 0 ? PASSED : Math.sin(Math.PI * PASSED * at) / (Math.PI * at);
  return sinc * (0.5 + 0.5 * Math.cos((2 * Math.PI * at) / TAPS));
}

/** One stream of sound. What it gives is behind by half of `TAPS` samples of the input. */
export class Resampler {
  readonly sampleRate: number;
  readonly #ratio: Ratio;
  /** The end of what came before, then what has come now. */
  #input = new Float32Array(0);
  /** Where the next one of the output is between the first two of the input, in parts. */
  #place = 0;
  #output = new Int16Array(0);

  /** @param sampleRate of what comes; one that `isHeard` knows */
  constructor(sampleRate: number) {
    this.sampleRate = sampleRate;
    this.#ratio = ratioOf(sampleRate);
  }

  /**
   * @param heard for which `isHeard` says yes, of the rate of this stream
   * @returns one channel of 48 kHz, good until the next call
   */
  convert({ samples, channelCount }: Heard): Int16Array {
    if (this.sampleRate === SAMPLE_RATE && channelCount === 1) return samples;
    const count = samples.length / channelCount;
    const input = this.#withHistory(count);
    if (channelCount === 1) input.set(samples, TAPS - 1);
    else
      for (let n = 0; n < count; n++)
        input[TAPS - 1 + n] = (samples[2 * n]! + samples[2 * n + 1]!) / 2;
    const output =
      this.sampleRate === SAMPLE_RATE
        ? this.#copy(input.subarray(TAPS - 1, TAPS - 1 + count))
        : this.#interpolate(input, count);
    input.copyWithin(0, count, count + TAPS - 1);
    return output;
  }

  #withHistory(count: number): Float32Array {
    if (this.#input.length < TAPS - 1 + count) {
      const longer = new Float32Array(TAPS - 1 + count);
      longer.set(this.#input.subarray(0, TAPS - 1));
      this.#input = longer;
    }
    return this.#input;
  }

  #copy(input: Float32Array): Int16Array {
    const output = this.#room(input.length);
    output.set(input);
    return output;
  }

  #interpolate(input: Float32Array, count: number): Int16Array {
    const { up, down, weights } = this.#ratio;
    const length = Math.ceil((count * up - this.#place) / down);
    const output = this.#room(length);
    for (let n = 0; n < length; n++) {
      const first = Math.floor(this.#place / up);
      const row = (this.#place - first * up) * TAPS;
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap++) sum += weights[row + tap]! * input[first + tap]!;
      // A sinc goes a little beyond what it goes through.
      output[n] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
      this.#place += down;
    }
    this.#place -= count * up;
    return output;
  }

  #room(length: number): Int16Array {
    if (this.#output.length < length) this.#output = new Int16Array(length);
    return this.#output.subarray(0, length);
  }
}
