/** Cameras, microphones, speakers and screens as they are listed. */
import { shown } from './refusals.ts';

export type DeviceKind = 'camera' | 'microphone' | 'speaker' | 'screen';

export interface Device {
  readonly kind: DeviceKind;
  /** What a person writes to choose it. */
  readonly id: string;
  /** What it calls itself, for people. */
  readonly label: string;
  /** The one that is taken where none is chosen. */
  readonly isDefault?: true;
}

/** What there is, and what could not be asked. */
export interface DeviceList {
  readonly devices: readonly Device[];
  /** Sentences for people. */
  readonly problems: readonly string[];
}

export const NOTHING: DeviceList = { devices: [], problems: [] };

/** Devices of one kind that are told of: nobody has more, but a program may say anything. */
const MOST_DEVICES = 64;

/**
 * A device as it may be shown; undefined for one that could not be chosen: its name would not be the
 * same once it is cleaned.
 */
export function toDevice(
  kind: DeviceKind,
  id: string,
  label: string,
  isDefault = false,
): Device | undefined {
  if (id === '' || shown(id) !== id) return undefined;
  const said = shown(label);
  return { kind, id, label: said === '' ? id : said, ...(isDefault && { isDefault }) };
}

/** Those that there are, each once, and not too many. */
export function bounded(devices: Iterable<Device | undefined>): Device[] {
  const found = new Map<string, Device>();
  for (const device of devices)
    if (device !== undefined && found.size < MOST_DEVICES && !found.has(device.id))
      found.set(device.id, device);
  return [...found.values()];
}

export function join(...lists: readonly DeviceList[]): DeviceList {
  return {
    devices: lists.flatMap(({ devices }) => devices),
    problems: [...new Set(lists.flatMap(({ problems }) => problems))],
  };
}
