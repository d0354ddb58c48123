/** Cameras, screens and microphones of macOS, as ffmpeg tells of them. */
import {
  bounded,
  NOTHING,
  toDevice,
  type Device,
  type DeviceKind,
  type DeviceList,
} from './device.ts';
import { ask, type Host } from './host.ts';
import { ffmpegIsMissing } from './refusals.ts';

/** Names in the order in which they are counted, from 0 on; screens are among those of pictures. */
export interface AvfoundationNames {
  readonly video: readonly string[];
  readonly audio: readonly string[];
}

const HEAD = /AVFoundation (?<kind>video|audio) devices:\s*$/;
const ENTRY = /^\[[^\]]*\] \[(?<index>\d{1,3})\] (?<name>.+)$/;
const SCREEN = /^Capture screen \d+$/;

/** Reads what `ffmpeg -f avfoundation -list_devices true -i ""` complains of. */
export function parseAvfoundation(text: string): AvfoundationNames {
  const names = { video: [] as string[], audio: [] as string[] };
  let kind: 'video' | 'audio' | undefined;
  for (const line of text.split(/\r?\n/)) {
    const head = HEAD.exec(line)?.groups?.['kind'];
    if (head !== undefined) kind = head as 'video' | 'audio';
    const entry = ENTRY.exec(line)?.groups;
    // A number that is not the next one would be another device's.
    if (kind !== undefined && entry !== undefined && Number(entry['index']) === names[kind].length)
      names[kind].push(entry['name'] ?? '');
  }
  return names;
}

/** @throws NO_DEVICE where there is no ffmpeg */
export async function avfoundationNames(host: Host): Promise<AvfoundationNames> {
  const args = ['-hide_banner', '-f', 'avfoundation', '-list_devices', 'true', '-i', ''];
  const { complaints, isMissing } = await ask(host, host.ffmpeg, args);
  if (isMissing) throw ffmpegIsMissing(host.platform);
  return parseAvfoundation(complaints);
}

/** Where names leave open which one is meant, the number says it. */
function devicesOf(
  kind: DeviceKind,
  names: readonly string[],
  isOne: (name: string) => boolean,
): Device[] {
  const count = (name: string): number => names.filter((one) => one === name).length;
  let isFirst = true;
  return bounded(
    names.map((name, index) => {
      if (!isOne(name)) return undefined;
      const device =
        (count(name) === 1 ? toDevice(kind, name, name, isFirst) : undefined) ??
        toDevice(kind, `${index}`, name, isFirst);
      isFirst = false;
      return device;
    }),
  );
}

export function avfoundationDevices({ video, audio }: AvfoundationNames): DeviceList {
  return {
    ...NOTHING,
    devices: [
      ...devicesOf('camera', video, (name) => !SCREEN.test(name)),
      ...devicesOf('microphone', audio, () => true),
      ...devicesOf('screen', video, (name) => SCREEN.test(name)),
    ],
  };
}

/**
 * The number by which ffmpeg knows a device.
 * @param spec its number, its name, or `default`
 * @param isScreen screens have numbers of their own where people write them, from 0 on
 * @returns undefined where there is none
 */
export function avfoundationIndex(
  names: readonly string[],
  spec: string,
  isScreen = false,
): number | undefined {
  const isOne = (name: string): boolean => SCREEN.test(name) === isScreen;
  const wanted = isScreen && /^\d+$/.test(spec) ? `Capture screen ${spec}` : spec;
  let index = names.indexOf(wanted);
  if (spec === 'default') index = names.findIndex(isOne);
  else if (index < 0 && /^\d+$/.test(spec)) index = Number(spec);
  const name = names[index];
  return name === undefined || !isOne(name) ? undefined : index;
}
