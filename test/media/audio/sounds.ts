/** Sounds for tests. */
import assert from 'node:assert/strict';
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../../../lib/media/frames.ts';
import { ToneMeter } from '../../../lib/media/audio/tone.ts';
import { randomNumbers } from '../video/pictures.ts';

/** An amplitude by its level: that of a full sine is 0. */
export function amplitudeOf(decibels: number): number {
  return 32_767 * 10 ** (decibels / 20);
}

/** A tone that goes on where it was. @returns gives the next so many samples */
export function tone(
  frequency: number,
  amplitude = 8_000,
  rate = SAMPLE_RATE,
): (count?: number) => Int16Array {
  let at = 0;
  return (count = SOUND_SAMPLES) =>
    Int16Array.from({ length: count }, () =>
      Math.round(amplitude * Math.sin((2 * Math.PI * frequency * at++) / rate)),
    );
}

/** White noise, as `tone`. @param amplitude of its peaks */
export function noise(amplitude: number, seed = 1): (count?: number) => Int16Array {
  const next = randomNumbers(seed);
  return (count = SOUND_SAMPLES) =>
    Int16Array.from({ length: count }, () => Math.round((2 * next() - 1) * amplitude));
}

export function silence(): Sound {
  return new Int16Array(SOUND_SAMPLES);
}

/** So many milliseconds of it, as sounds. */
export function lasting(milliseconds: number, next: () => Sound): Sound[] {
  return Array.from({ length: milliseconds / 10 }, next);
}

/** All of them one after the other. */
export function joined(sounds: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(sounds.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const sound of sounds) {
    all.set(sound, at);
    at += sound.length;
  }
  return all;
}

/** Samples in pieces of 10 ms; what is left at the end is left out. */
export function pieces(samples: Int16Array): Sound[] {
  return Array.from({ length: Math.floor(samples.length / SOUND_SAMPLES) }, (_, n) =>
    samples.slice(n * SOUND_SAMPLES, (n + 1) * SOUND_SAMPLES),
  );
}

export function meterOf(sounds: readonly (Sound | undefined)[]): ToneMeter {
  const meter = new ToneMeter();
  for (const sound of sounds) meter.hear(sound);
  return meter;
}

/** The largest step from one sample to the next: a click is a large one. */
export function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let n = 1; n < samples.length; n++)
    largest = Math.max(largest, Math.abs(samples[n]! - samples[n - 1]!));
  return largest;
}

export function peakOf(samples: Int16Array): number {
  return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}

/** @param share off by which it may be */
export function assertTone(
  frequency: number | undefined,
  expected: number,
  share = 0.01,
  what = '',
): void {
  assert.ok(frequency !== undefined, `no tone for ${expected} Hz ${what}`);
  const off = Math.abs(frequency / expected - 1);
  assert.ok(off <= share, `${frequency} for ${expected} Hz ${what}`);
}
