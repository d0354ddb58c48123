/** Microphones and speakers of Linux without a sound server. */
import { readFile } from 'node:fs/promises';
import { bounded, NOTHING, toDevice, type DeviceList } from './device.ts';

/** Reads `/proc/asound/pcm`. */
export function parseAlsa(text: string): DeviceList {
  const lines = text.split('\n').flatMap((line) => {
    const [number = '', , name = '', ...abilities] = line.split(':').map((part) => part.trim());
    const [, card, device] = /^(\d{2})-(\d{2})$/.exec(number) ?? [];
    if (card === undefined) return [];
    return [{ id: `plughw:${Number(card)},${Number(device)}`, name, abilities }];
  });
  const list = (kind: 'microphone' | 'speaker', ability: string) =>
    bounded(
      lines
        .filter(({ abilities }) => abilities.some((one) => one.startsWith(ability)))
        .map(({ id, name }) => toDevice(kind, id, name)),
    );
  return {
    ...NOTHING,
    devices: [...list('microphone', 'capture'), ...list('speaker', 'playback')],
  };
}

/** Whether a name is one of ALSA, and not of a sound server. */
export function isAlsaName(name: string): boolean {
  return /^(?:plug)?hw:|^(?:sys|front|dsnoop|dmix)/.test(name);
}

export async function alsaDevices(path = '/proc/asound/pcm'): Promise<DeviceList> {
  return parseAlsa(await readFile(path, 'utf8').catch(() => ''));
}
