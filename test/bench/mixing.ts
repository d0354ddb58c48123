/** What it takes to mix the voices of a call. */
import { SOUND_MS } from '../../lib/media/frames.ts';
import { Mixer } from '../../lib/media/audio/mixer.ts';
import type { Bench } from './support/bench.ts';
import type { Row } from './support/report.ts';
import { ownTime, percent } from './support/stats.ts';

const VOICES = 8;
const FIGURE = 0.05;
/** Sounds that are mixed before it is measured, until the machine code is made. */
const WARM = 3_000;

export interface MixingOptions {
  readonly voices: number;
  /** Of sound, of which each is mixed as fast as it goes. */
  readonly seconds: number;
  /** Samples a second, of one channel. */
  readonly rate: number;
}

/** @returns the share of one core that mixing in real time takes, of 1 */
export function shareOfMixing({ voices, seconds, rate }: MixingOptions): number {
  const mixer = new Mixer();
  const samples = Array.from({ length: voices }, (_, voice) =>
    Array.from({ length: 50 }, (_, sound) => voiceLike(voice, sound, rate)),
  );
  let mixed = mixer.take();
  const mix = (sounds: number): void => {
    for (let sound = 0; sound < sounds; sound++) {
      for (let voice = 0; voice < voices; voice++)
        mixer.put(`${voice}`, {
          samples: samples[voice]![sound % 50]!,
          sampleRate: rate,
          channelCount: 1,
        });
      mixed = mixer.take();
    }
  };
  mix(WARM);
  const sounds = (seconds * 1_000) / SOUND_MS;
  const before = ownTime();
  mix(sounds);
  const share = (ownTime() - before) / (sounds * SOUND_MS);
  // Silence would be cheap.
  if (mixed.every((sample) => Math.abs(sample) < 1_000)) throw new Error('nothing was mixed');
  return share;
}

/** 10 ms of several tones, loud enough that eight of them are too loud together. */
function voiceLike(voice: number, sound: number, rate: number): Int16Array {
  const count = (rate * SOUND_MS) / 1_000;
  return Int16Array.from({ length: count }, (_, n) => {
    const turn = (2 * Math.PI * (sound * count + n)) / rate;
    const base = 100 + 20 * voice;
    return [1, 2, 5].reduce((sum, part) => sum + 4_000 * Math.sin(base * part * turn), 0);
  });
}

export const mixing: Bench = {
  name: 'mixing',
  async run(context): Promise<Row[]> {
    const seconds = context.size(100, 20);
    return [48_000, 16_000].map((rate) => {
      const share = shareOfMixing({ voices: VOICES, seconds, rate });
      return {
        what: `mixing ${VOICES} voices of ${rate / 1_000} kHz, share of a core`,
        clchat: `${(share * 100).toFixed(1)} %`,
        beside: '',
        figure: { text: `≤ ${percent(FIGURE)}`, reached: share <= FIGURE },
      };
    });
  },
};
