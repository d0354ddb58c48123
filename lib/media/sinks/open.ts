/** Sinks by what a person writes. */
import { parse, join } from 'node:path';
import { hasCode } from '../../errors.ts';
import { firstToOpen, type Way } from '../devices/attempts.ts';
import { thisHost, type Host } from '../devices/host.ts';
import { shown } from '../devices/refusals.ts';
import { orNameOthers } from '../devices/list.ts';
import { waysToSound } from '../devices/native-sound.ts';
import type { PictureSize } from '../frames.ts';
import type { AudioSink } from '../streams.ts';
import { openNativeSpeaker } from './native-speaker.ts';
import { openProgramSpeaker, speakerOutputs } from './program-speaker.ts';
import { openRecorderFile, type Recorder } from './recorder.ts';
import { openWav } from './wav.ts';

export type { Recorder };

/** Files of one name, before it is to be another. */
const MOST_FILES = 1_000;

/** A speaker may be taken several times: each gets a file of its own. */
async function openNextWav(path: string): Promise<AudioSink> {
  const { dir, name, ext } = parse(path);
  for (let number = 2; ; number++)
    try {
      const isFirst = number === 2;
      return await openWav(isFirst ? path : join(dir, `${name}-${number - 1}${ext}`));
    } catch (error) {
      if (!hasCode(error, 'ALREADY') || number === MOST_FILES) throw error;
    }
}

/**
 * @param spec `none`, a file that ends in `.wav` (where there is one already, one with a number is
 * made beside it), `default`, or a speaker by its name as it is listed
 * @returns undefined for `none`
 * @throws NO_DEVICE within about five seconds, with a text that says what can be done; what writing a
 * file may throw: see `openWav`
 */
export async function openSpeaker(
  spec: string,
  { host = thisHost() }: { readonly host?: Host } = {},
): Promise<AudioSink | undefined> {
  if (spec === 'none') return undefined;
  if (/\.wav$/i.test(spec)) return openNextWav(spec);
  const label = spec === 'default' ? 'speaker' : `speaker ${shown(spec)}`;
  const byFfmpeg = speakerOutputs(host.platform, spec).map(
    (output): Way<AudioSink> =>
      (openMs) =>
        openProgramSpeaker(host, label, output, openMs),
  );
  const native: Way<AudioSink> = (openMs) => openNativeSpeaker(host, label, spec, openMs);
  const opened = async (): Promise<AudioSink> => firstToOpen(waysToSound(host, byFfmpeg, native));
  return orNameOthers('speaker', host, opened());
}

/**
 * A recording of pictures and sound.
 * @param path ends in .mkv, .webm, .mp4, or .wav (sound alone)
 * @throws see `openRecorderFile`
 */
export function openRecorder(
  path: string,
  size: PictureSize,
  { host = thisHost() }: { readonly host?: Host } = {},
): Promise<Recorder> {
  return openRecorderFile(host, path, size);
}
