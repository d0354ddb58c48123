/** Sources by what a person writes. */
import { stat } from 'node:fs/promises';
import { ClchatError } from '../../errors.ts';
import { thisHost, type Host } from '../devices/host.ts';
import { orNameOthers } from '../devices/list.ts';
import type { PictureSize } from '../frames.ts';
import type { AudioSource, VideoSource } from '../streams.ts';
import { openCameraDevice, type CameraOptions } from './camera.ts';
import { openSoundFile, openVideoFile } from './media-file.ts';
import { openMicrophoneDevice } from './microphone.ts';
import { openPattern } from './pattern.ts';
import { openScreenDevice } from './screen.ts';
import { openSilence, openTone } from './tone.ts';

export interface OpenOptions extends CameraOptions {
  readonly host?: Host;
}

const TONE = /^tone(?::(?<hertz>\d{1,5}(?:\.\d{1,3})?))?$/;
const USUAL_TONE = 440;
/** What people hear, and the sample rate can carry. */
const LOWEST = 20;
const HIGHEST = 20_000;

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * @param spec `test` for the test pattern, `none`, the path of a file, or a camera: `default`, its
 * number, or its name as it is listed
 * @returns undefined for `none`
 * @throws NO_DEVICE within about five seconds, with a text that says what can be done
 */
export async function openCamera(
  spec: string,
  size: PictureSize,
  { host = thisHost(), ...options }: OpenOptions = {},
): Promise<VideoSource | undefined> {
  if (spec === 'none') return undefined;
  if (spec === 'test') return openPattern(size);
  if (await isFile(spec)) return openVideoFile(host, spec, size);
  return orNameOthers('camera', host, openCameraDevice(host, spec, size, options));
}

/**
 * @param spec `tone` or `tone:HERTZ`, `silence`, `none`, the path of a file, or a microphone:
 * `default`, or its name as it is listed
 * @returns undefined for `none`
 * @throws NO_DEVICE within about five seconds, with a text that says what can be done
 */
export async function openMicrophone(
  spec: string,
  { host = thisHost() }: OpenOptions = {},
): Promise<AudioSource | undefined> {
  if (spec === 'none') return undefined;
  if (spec === 'silence') return openSilence();
  const tone = TONE.exec(spec);
  if (tone !== null) {
    const hertz = Number(tone.groups?.['hertz'] ?? USUAL_TONE);
    if (hertz >= LOWEST && hertz <= HIGHEST) return openTone(hertz);
    throw new ClchatError('NO_DEVICE', `Tones go from ${LOWEST} to ${HIGHEST} Hz.`);
  }
  if (await isFile(spec)) return openSoundFile(host, spec);
  return orNameOthers('microphone', host, openMicrophoneDevice(host, spec));
}

/**
 * @param spec `test` for the test pattern, `none`, `default`, a display as it is listed, or a window:
 * `window:` and its title, a part of that, or its number
 * @returns undefined for `none`
 * @throws NO_DEVICE within about five seconds, with a text that says what can be done
 */
export async function openScreen(
  spec: string,
  size: PictureSize,
  { host = thisHost() }: OpenOptions = {},
): Promise<VideoSource | undefined> {
  if (spec === 'none') return undefined;
  if (spec === 'test') return openPattern(size);
  return orNameOthers('screen', host, openScreenDevice(host, spec, size));
}
