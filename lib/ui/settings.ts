/** What one person wants of this front end: what the command `settings` shows and changes. */
import { readFileSync, writeFileSync } from 'node:fs';

const DEFAULTS = {
  colours: true,
  bell: true,
  time: true,
  ids: false,
  receipts: true,
  typing: true,
};

export type SettingName = keyof typeof DEFAULTS;

/** What calls capture and play by, each as it is written behind its option. */
export const DEVICE_SETTINGS = ['camera', 'mic', 'speaker', 'screen'] as const;
export type DeviceSetting = (typeof DEVICE_SETTINGS)[number];

export function isDeviceSetting(name: string): name is DeviceSetting {
  return (DEVICE_SETTINGS as readonly string[]).includes(name);
}

/** What stands for a device where none is named. */
const USUAL = 'default';

/** Words that stand for a device of each kind, beside the names of those that there are. */
export const DEVICE_WORDS: Readonly<Record<DeviceSetting, readonly string[]>> = {
  camera: [USUAL, 'none', 'test'],
  mic: [USUAL, 'none', 'silence', 'tone'],
  speaker: [USUAL, 'none'],
  screen: [USUAL, 'none', 'test'],
};

const MAX_DEVICE = 1_024;

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(DEFAULTS, name);
}

/** The settings of one profile, kept in a small file when a path is given. */
export class Settings {
  readonly #values = { ...DEFAULTS };
  readonly #devices: Partial<Record<DeviceSetting, string>> = {};
  readonly #path: string | undefined;
  #follower: ((name: SettingName, value: boolean) => void) | undefined;

  /** @param path of a JSON file; what cannot be read or is not a setting is ignored */
  constructor(path?: string) {
    this.#path = path;
    if (path === undefined) return;
    let stored: unknown;
    try {
      stored = JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      // Not there yet, or damaged: a display preference is not worth a failed start.
      return;
    }
    if (typeof stored !== 'object' || stored === null) return;
    for (const [name, value] of Object.entries(stored))
      if (isSetting(name) && typeof value === 'boolean') this.#values[name] = value;
      else if (isDeviceSetting(name) && typeof value === 'string' && value.length <= MAX_DEVICE)
        this.#devices[name] = value;
  }

  /** Devices that were chosen; those that are not there are the usual ones. */
  get devices(): Readonly<Partial<Record<DeviceSetting, string>>> {
    return this.#devices;
  }

  /** As it was chosen, or `default`. */
  device(name: DeviceSetting): string {
    return this.#devices[name] ?? USUAL;
  }

  choose(name: DeviceSetting, device: string): void {
    this.#devices[name] = device;
    this.#save();
  }

  /** Tells of every setting now, and of each that is changed from now on. */
  follow(follower: (name: SettingName, value: boolean) => void): void {
    this.#follower = follower;
    for (const [name, value] of Object.entries(this.#values)) follower(name as SettingName, value);
  }

  get(name: SettingName): boolean {
    return this.#values[name];
  }

  /** The values of all settings, or of the one named. */
  all(name?: string): Partial<Record<SettingName, boolean>> {
    if (name !== undefined && isSetting(name)) return { [name]: this.#values[name] };
    return { ...this.#values };
  }

  set(name: string, value: boolean): void {
    if (!isSetting(name)) return;
    this.#values[name] = value;
    this.#follower?.(name, value);
    this.#save();
  }

  #save(): void {
    if (this.#path === undefined) return;
    const all = { ...this.#values, ...this.#devices };
    try {
      writeFileSync(this.#path, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    } catch {
      // It holds for this run; a read-only profile says so elsewhere.
    }
  }
}
