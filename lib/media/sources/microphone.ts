/** Microphones: by the native part of this program, or by ffmpeg. */
import { firstToOpen, type Way } from '../devices/attempts.ts';
import { isAlsaName } from '../devices/alsa.ts';
import { avfoundationIndex, avfoundationNames } from '../devices/avfoundation.ts';
import { askDshow, dshowInput } from '../devices/dshow.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { cannotOpen, nativeName, openInTime, waysToSound } from '../devices/native-sound.ts';
import { AT_ONCE } from '../ffmpeg.ts';
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';
import type { AudioSource } from '../streams.ts';
import { openSound } from './capture.ts';
import { FedSource } from './fed-source.ts';
import { SoundCutter, SOUNDS_WAITING } from './sound-cutter.ts';

/** In pieces of 10 ms: those that the sound server chooses itself may be of seconds. */
const PULSE = ['-sample_rate', `${SAMPLE_RATE}`, '-channels', '1', '-fragment_size', '960'];

/** One of the native part that has given nothing for so long hangs, in milliseconds. */
const HANGS_MS = 1_000;
/** What is told of one that hangs is under way after so many milliseconds. */
const TELL_MS = 50;

/**
 * Arguments of ffmpeg that read a microphone, best first.
 * @param name what ffmpeg calls it on that system
 */
export function microphoneInputs(platform: NodeJS.Platform, name: string): string[][] {
  if (platform === 'darwin') return [['-f', 'avfoundation', ...AT_ONCE, '-i', `none:${name}`]];
  if (platform === 'win32')
    return [['-f', 'dshow', '-audio_buffer_size', '20', ...AT_ONCE, '-i', `audio=${name}`]];
  const pulse = ['-f', 'pulse', ...AT_ONCE, ...PULSE, '-i', name];
  const alsa = ['-f', 'alsa', ...AT_ONCE, '-sample_rate', `${SAMPLE_RATE}`, '-i', name];
  if (isAlsaName(name)) return [alsa];
  return name === 'default' ? [pulse, alsa] : [pulse];
}

/** @throws NO_DEVICE */
async function findMicrophone(host: Host, spec: string): Promise<string> {
  const missing = (): Error => noDevice(`There is no microphone "${shown(spec)}".`);
  if (host.platform === 'darwin') {
    const index = avfoundationIndex((await avfoundationNames(host)).audio, spec);
    if (index === undefined) throw missing();
    return `${index}`;
  }
  if (host.platform !== 'win32') return spec;
  const name = dshowInput(await askDshow(host), 'audio', spec);
  if (name === undefined) throw missing();
  return name;
}

const labelOf = (spec: string): string =>
  spec === 'default' ? 'microphone' : `microphone ${shown(spec)}`;

async function openByFfmpeg(host: Host, spec: string, openMs: number): Promise<AudioSource> {
  const inputs = microphoneInputs(host.platform, await findMicrophone(host, spec));
  return openSound({ host, label: labelOf(spec), inputs, hint: hintOf(host), openMs });
}

const hintOf = ({ platform }: Host): string | undefined =>
  platform === 'darwin'
    ? 'The terminal may have to be allowed to use the microphone: System Settings, Privacy & Security.'
    : undefined;

/**
 * By the native part.
 * @throws NO_DEVICE, also where it does not answer in time
 */
export async function openNativeMicrophone(
  host: Host,
  spec: string,
  openMs: number,
): Promise<AudioSource> {
  const label = labelOf(spec);
  const { Microphone } = host.native();
  const begun = performance.now();
  const opening = Microphone.open({
    sampleRate: SAMPLE_RATE,
    channels: 1,
    framesPerBuffer: SOUND_SAMPLES,
    dtype: 'int16',
    ...nativeName(spec),
  });
  const microphone = await openInTime(openMs, opening, label).catch((error: unknown) => {
    throw cannotOpen(label, error);
  });
  let heardAt = performance.now();
  const release = async (): Promise<void> => {
    // To stop it waits for the device, and the whole process with it: nobody would hear that it hangs.
    const hangs = performance.now() - heardAt > HANGS_MS;
    if (hangs) setTimeout(() => microphone.stop(), TELL_MS);
    else microphone.stop();
  };
  const source = new FedSource<Sound>({ label, most: SOUNDS_WAITING, release });
  const gone = (error?: Error): void =>
    source.fail(
      noDevice(`${label} is gone${error === undefined ? '' : `: ${shown(error.message)}`}.`),
    );
  const cutter = new SoundCutter();
  microphone.on('data', (chunk: Buffer) => {
    heardAt = performance.now();
    cutter.take(chunk, (one) => source.give(one));
  });
  microphone.on('error', gone);
  microphone.on('end', () => gone());
  const left = openMs - (performance.now() - begun);
  return source.begun(left, [`${label} gives nothing.`, hintOf(host)].join(' ').trim());
}

/**
 * @param spec `default`, its number where they have numbers, or its name
 * @throws NO_DEVICE
 */
export async function openMicrophoneDevice(host: Host, spec: string): Promise<AudioSource> {
  const byFfmpeg: Way<AudioSource> = (openMs) => openByFfmpeg(host, spec, openMs);
  const native: Way<AudioSource> = (openMs) => openNativeMicrophone(host, spec, openMs);
  return firstToOpen(waysToSound(host, [byFfmpeg], native));
}
