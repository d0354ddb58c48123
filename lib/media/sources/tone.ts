/** Tones and silence as microphones. */
import { systemClock, type Clock } from '../../lifecycle.ts';
import { SAMPLE_RATE, SOUND_MS, SOUND_SAMPLES, type Sound } from '../frames.ts';
import type { AudioSource } from '../streams.ts';
import { Metronome } from './metronome.ts';
import { SOUNDS_WAITING } from './sound-cutter.ts';
import { FrameQueue } from './queue.ts';

/** A quarter of the most that there can be: 12 dB below it. */
const AMPLITUDE = 8_192;
/** Where this process was late, so many sounds are made up for; a longer gap stays one. */
const MOST_LATE = 5;

class GeneratedSound implements AudioSource {
  readonly label: string;
  readonly #queue = new FrameQueue<Sound>(SOUNDS_WAITING);
  readonly #metronome: Metronome;

  constructor(label: string, next: () => Sound, clock: Clock) {
    this.label = label;
    this.#metronome = new Metronome({
      interval: SOUND_MS,
      most: MOST_LATE,
      clock,
      beat: () => this.#queue.put(next()),
    });
  }

  frames(): AsyncIterable<Sound> {
    return this.#queue.frames();
  }

  async close(): Promise<void> {
    this.#metronome.stop();
    this.#queue.close();
  }
}

/**
 * A sine, 12 dB below the loudest that there can be. Its wave goes on from sound to sound, also
 * where some were left out between them, so that nothing clicks.
 * @param hertz from 1 to less than half the sample rate
 */
export function openTone(hertz: number, clock: Clock = systemClock): AudioSource {
  const step = hertz / SAMPLE_RATE;
  /** In turns, below 1: it stays exact however long the tone lasts. */
  let phase = 0;
  const next = (): Sound => {
    const sound = new Int16Array(SOUND_SAMPLES);
    for (let at = 0; at < SOUND_SAMPLES; at++) {
      sound[at] = Math.round(AMPLITUDE * Math.sin(2 * Math.PI * phase));
      phase += step;
      if (phase >= 1) phase -= 1;
    }
    return sound;
  };
  return new GeneratedSound(`tone of ${hertz} Hz`, next, clock);
}

export function openSilence(clock: Clock = systemClock): AudioSource {
  return new GeneratedSound('silence', () => new Int16Array(SOUND_SAMPLES), clock);
}
