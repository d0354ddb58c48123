/**
 * Microphones and speakers by decibri, a part of this program that is native and may be missing. There
 * is no other way to speakers on Windows. On Linux ffmpeg comes first: decibri asks ALSA there, so no
 * device of PulseAudio can be chosen, sound is later by some 40 ms, and a microphone took up to half
 * a processor.
 */
import { createRequire } from 'node:module';
import type * as Decibri from 'decibri';
import { hasCode, type ClchatError } from '../../errors.ts';
import { within } from '../../lifecycle.ts';
import { bounded, NOTHING, toDevice, type DeviceList } from './device.ts';
import type { Way } from './attempts.ts';
import type { Host } from './host.ts';
import { noDevice, shown } from './refusals.ts';

export type NativeSound = Pick<typeof Decibri, 'Microphone' | 'Speaker'>;

/** @throws NO_DEVICE where it is missing */
export function nativeSound(): NativeSound {
  try {
    return createRequire(import.meta.url)('decibri') as NativeSound;
  } catch (error) {
    throw noDevice('The part of this program for microphones and speakers is missing here.', error);
  }
}

/** In which order sound is opened: a way that cannot be gone is left out where there is another. */
export function waysToSound<T>(
  { platform, native: load }: Pick<Host, 'platform' | 'native'>,
  byFfmpeg: readonly Way<T>[],
  native: Way<T>,
): readonly Way<T>[] {
  if (platform === 'linux') return [...byFfmpeg, native];
  try {
    load();
  } catch (error) {
    if (byFfmpeg.length > 0) return byFfmpeg;
    throw error;
  }
  return [native, ...byFfmpeg];
}

/** What it calls a device. @param spec a name, or `default` */
export function nativeName(spec: string): { readonly device?: string } {
  return spec === 'default' ? {} : { device: spec };
}

/**
 * Waits for a device that it opens.
 * @throws TIMEOUT: one that comes later than so is stopped; what opening it throws
 */
export async function openInTime<D extends { stop(): void }>(
  milliseconds: number,
  opening: Promise<D>,
  label: string,
): Promise<D> {
  try {
    return await within(milliseconds, opening, label);
  } catch (error) {
    opening.then(
      (late) => late.stop(),
      () => undefined,
    );
    throw error;
  }
}

/** How it is said why one did not open. */
export function cannotOpen(label: string, error: unknown): ClchatError {
  const said = error instanceof Error ? shown(error.message) : '';
  const why = hasCode(error, 'TIMEOUT') ? 'it does not answer.' : said;
  return noDevice(`${label} cannot be opened: ${why}`, error);
}

/** @returns undefined where it is missing, or cannot tell */
export function nativeDevices({ native }: Pick<Host, 'native'>): DeviceList | undefined {
  try {
    const { Microphone, Speaker } = native();
    const usable = <Info extends { name: string; isDefault: boolean }>(
      kind: 'microphone' | 'speaker',
      those: readonly Info[],
      channels: (info: Info) => number,
    ) =>
      bounded(
        those
          .filter((one) => channels(one) > 0)
          .map(({ name, isDefault }) => toDevice(kind, name, name, isDefault)),
      );
    return {
      ...NOTHING,
      devices: [
        ...usable('microphone', Microphone.devices(), (one) => one.maxInputChannels),
        ...usable('speaker', Speaker.devices(), (one) => one.maxOutputChannels),
      ],
    };
  } catch {
    return undefined;
  }
}
