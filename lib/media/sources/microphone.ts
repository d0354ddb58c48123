/** Microphones: by the native part of this program, or by ffmpeg. */
import { firstToOpen, type Way } from '../devices/attempts.ts';
import { isAlsaName } from '../devices/alsa.ts';
import { avfoundationIndex, avfoundationNames } from '../devices/avfoundation.ts';
import { askDshow, dshowInput } from '../devices/dshow.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { nativeName, waysToSound } from '../devices/native-sound.ts';
import { AT_ONCE } from '../ffmpeg.ts';
import { SAMPLE_RATE, SOUND_SAMPLES, type Sound } from '../frames.ts';
import type { AudioSource } from '../streams.ts';
import { openSound } from './capture.ts';
import { FedSource } from './fed-source.ts';
import { SoundCutter, SOUNDS_WAITING } from './sound-cutter.ts';

/** In pieces of 10 ms: those that the sound server chooses itself may be of seconds. */
const PULSE = ['-sample_rate', `${SAMPLE_RATE}`, '-channels', '1', '-fragment_size', '960'];

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
 * @throws NO_DEVICE
 */
export async function openNativeMicrophone(
  host: Host,
  spec: string,
  openMs: number,
): Promise<AudioSource> {
  const label = labelOf(spec);
  const { Microphone } = host.native();
  const microphone = await Microphone.open({
    sampleRate: SAMPLE_RATE,
    channels: 1,
    framesPerBuffer: SOUND_SAMPLES,
    dtype: 'int16',
    ...nativeName(spec),
  }).catch((error: Error) => {
    throw noDevice(`${label} cannot be opened: ${shown(error.message)}`, error);
  });
  const release = async (): Promise<void> => microphone.stop();
  const source = new FedSource<Sound>({ label, most: SOUNDS_WAITING, release });
  const gone = (error?: Error): void =>
    source.fail(
      noDevice(`${label} is gone${error === undefined ? '' : `: ${shown(error.message)}`}.`),
    );
  const cutter = new SoundCutter();
  microphone.on('data', (chunk: Buffer) => cutter.take(chunk, (one) => source.give(one)));
  microphone.on('error', gone);
  microphone.on('end', () => gone());
  return source.begun(openMs, [`${label} gives nothing.`, hintOf(host)].join(' ').trim());
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
