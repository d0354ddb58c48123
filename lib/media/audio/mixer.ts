/** The sound of all others as one, 10 ms at a time, by the clock of whoever takes it. */
import { SOUND_SAMPLES, type Sound } from '../frames.ts';
import { isHeard, Resampler, type Heard } from './resampler.ts';
import { Voice, type VoiceState } from './voice.ts';

/** Persons that are mixed at most. */
export const MOST_PERSONS = 64;
/** Volumes are from nothing to that, in percent. */
const MOST_VOLUME = 200;

/** Amplitude up to which nothing is done to the sum; and the largest that there is. */
const KNEE = 29_000;
const LARGEST = 32_767;
/** How fast it gets louder again after it was too loud: each sound takes so much of the way. */
const RELEASE = 0.03;
/** Samples in which it gets quieter when it is too loud: 1 ms. */
const ATTACK = 48;

class Person {
  readonly voice = new Voice();
  resampler: Resampler | undefined;
  volume = 100;
  isMuted = false;
  /** By which the sound before was multiplied. */
  gain = 1;

  get wantedGain(): number {
    return this.isMuted ? 0 : this.volume / 100;
  }
}

export class Mixer {
  readonly #persons = new Map<string, Person>();
  readonly #sound = new Int16Array(SOUND_SAMPLES);
  readonly #sum = new Float32Array(SOUND_SAMPLES);
  #gain = 1;

  /**
   * What has been heard of somebody, whenever it comes and however much it is, up to 200 ms.
   * @returns whether it was taken: false for what is no sound, and for a person too many
   */
  put(person: string, heard: Heard): boolean {
    if (!isHeard(heard)) return false;
    const one = this.#personOf(person);
    if (one === undefined) return false;
    const { sampleRate } = heard;
    if (one.resampler?.sampleRate !== sampleRate) one.resampler = new Resampler(sampleRate);
    one.voice.put(one.resampler.convert(heard));
    return true;
  }

  /** @param percent of their own loudness; what is beyond 0 to 200 is taken as the nearest that is not */
  setVolume(person: string, percent: number): void {
    const one = this.#personOf(person);
    if (one !== undefined) one.volume = Math.min(MOST_VOLUME, Math.max(0, percent || 0));
  }

  /** Keeps the volume for the time when they are not muted any more. */
  setMuted(person: string, isMuted: boolean): void {
    const one = this.#personOf(person);
    if (one !== undefined) one.isMuted = isMuted;
  }

  /** Forgets somebody, and what was set for them. */
  remove(person: string): void {
    this.#persons.delete(person);
  }

  /** How it goes with somebody; undefined where nothing is known of them. */
  stateOf(person: string): VoiceState | undefined {
    return this.#persons.get(person)?.voice.state;
  }

  /** The next 10 ms of all; to be taken a hundred times a second. */
  take(): Sound {
    this.#sum.fill(0);
    for (const person of this.#persons.values()) {
      if (person.voice.take(this.#sound)) this.#add(person);
      else person.gain = person.wantedGain;
    }
    return this.#limited();
  }

  #personOf(name: string): Person | undefined {
    let person = this.#persons.get(name);
    if (person === undefined && this.#persons.size < MOST_PERSONS)
      this.#persons.set(name, (person = new Person()));
    return person;
  }

  #add(person: Person): void {
    const [sound, sum] = [this.#sound, this.#sum];
    const [from, to] = [person.gain, person.wantedGain];
    person.gain = to;
    if (from === to) {
      if (to > 0) for (let n = 0; n < SOUND_SAMPLES; n++) sum[n] = sum[n]! + sound[n]! * to;
      return;
    }
    // Over the whole of it, so that it does not click.
    const step = (to - from) / SOUND_SAMPLES;
    for (let n = 0; n < SOUND_SAMPLES; n++) sum[n] = sum[n]! + sound[n]! * (from + n * step);
  }

  /** Together they may be too loud for 16 bits: then all is made quieter, rather than cut off. */
  #limited(): Sound {
    const sum = this.#sum;
    let peak = 0;
    for (let n = 0; n < SOUND_SAMPLES; n++) peak = Math.max(peak, Math.abs(sum[n]!));
    const before = this.#gain;
    const most = peak > KNEE ? KNEE / peak : 1;
    this.#gain = Math.min(most, before + (1 - before) * RELEASE);
    if (this.#gain > 0.999) this.#gain = 1;
    const sound = new Int16Array(SOUND_SAMPLES);
    if (peak === 0) return sound;
    const step = (this.#gain - before) / ATTACK;
    for (let n = 0; n < SOUND_SAMPLES; n++)
      sound[n] = bent(sum[n]! * (n < ATTACK ? before + n * step : this.#gain));
    return sound;
  }
}

/** Beyond the knee it grows ever less, and never to more than 16 bits. */
function bent(sample: number): number {
  const amplitude = Math.abs(sample);
  if (amplitude <= KNEE) return Math.round(sample);
  const room = LARGEST - KNEE;
  return Math.sign(sample) * (KNEE + Math.floor(room * Math.tanh((amplitude - KNEE) / room)));
}
