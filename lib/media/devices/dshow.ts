/** Cameras and microphones of Windows, as ffmpeg tells of them. */
import { bounded, NOTHING, toDevice, type DeviceKind, type DeviceList } from './device.ts';
import { ask, type Host } from './host.ts';
import { ffmpegIsMissing, shown } from './refusals.ts';

export interface DshowDevice {
  readonly kinds: readonly ('video' | 'audio')[];
  readonly name: string;
  /** Which no other device has, unlike the name. */
  readonly alternative?: string;
}

const HEAD = /DirectShow (?<kind>video|audio) devices/;
/** Newer versions say of which kind a device is, older ones below which head it stands. */
const ENTRY = /^\[[^\]]*\]\s+"(?<name>.+)"(?: \((?<kinds>[a-z, ]+)\))?$/;
const ALTERNATIVE = /^\[[^\]]*\]\s+Alternative name "(?<name>[^"]+)"$/;

/** Reads what `ffmpeg -list_devices true -f dshow -i dummy` complains of. */
export function parseDshow(text: string): DshowDevice[] {
  const devices: DshowDevice[] = [];
  let below: 'video' | 'audio' | undefined;
  for (const line of text.split('\n').map((one) => one.trimEnd())) {
    const head = HEAD.exec(line)?.groups?.['kind'];
    if (head !== undefined) below = head as 'video' | 'audio';
    const alternative = ALTERNATIVE.exec(line)?.groups?.['name'];
    const last = devices.at(-1);
    const entry = ENTRY.exec(line)?.groups;
    if (alternative !== undefined) {
      if (last !== undefined) devices[devices.length - 1] = { ...last, alternative };
    } else if (entry !== undefined) {
      const said = entry['kinds'] ?? below ?? '';
      const kinds = (['video', 'audio'] as const).filter((kind) => said.includes(kind));
      devices.push({ kinds, name: entry['name'] ?? '' });
    }
  }
  return devices;
}

/** @throws NO_DEVICE where there is no ffmpeg */
export async function askDshow(host: Host): Promise<DshowDevice[]> {
  const args = ['-hide_banner', '-list_devices', 'true', '-f', 'dshow', '-i', 'dummy'];
  const { complaints, isMissing } = await ask(host, host.ffmpeg, args);
  if (isMissing) throw ffmpegIsMissing(host.platform);
  return parseDshow(complaints);
}

const ofKind = (devices: readonly DshowDevice[], kind: 'video' | 'audio'): DshowDevice[] =>
  devices.filter(({ kinds }) => kinds.includes(kind));

/** What ffmpeg takes: a colon in a name would end it there. */
function inputName({ name, alternative }: DshowDevice, others: readonly DshowDevice[]): string {
  const isPlain =
    !name.includes(':') &&
    shown(name) === name &&
    others.filter((one) => one.name === name).length < 2;
  return isPlain ? name : (alternative ?? name);
}

export function dshowDevices(devices: readonly DshowDevice[]): DeviceList {
  const list = (kind: DeviceKind, of: 'video' | 'audio') => {
    const those = ofKind(devices, of);
    return bounded(
      those.map((one, at) => toDevice(kind, inputName(one, those), one.name, at === 0)),
    );
  };
  return { ...NOTHING, devices: [...list('camera', 'video'), ...list('microphone', 'audio')] };
}

/**
 * What ffmpeg takes for a device.
 * @param spec its name, either of them, its number in the list from 0 on, or `default`
 * @returns undefined where there is none
 */
export function dshowInput(
  devices: readonly DshowDevice[],
  kind: 'video' | 'audio',
  spec: string,
): string | undefined {
  const those = ofKind(devices, kind);
  const index = spec === 'default' ? 0 : /^\d+$/.test(spec) ? Number(spec) : -1;
  const device =
    devices.find(({ name, alternative }) => name === spec || alternative === spec) ?? those[index];
  return device === undefined ? undefined : inputName(device, those);
}
