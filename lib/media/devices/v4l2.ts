/** Cameras of Linux. */
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bounded, toDevice, type Device, type DeviceList } from './device.ts';

/** Where the system tells of them. */
export interface V4l2Places {
  readonly classes: string;
  readonly udev: string;
  readonly devices: string;
}

const PLACES: V4l2Places = {
  classes: '/sys/class/video4linux',
  udev: '/run/udev/data',
  devices: '/dev',
};

const read = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

/**
 * Whether pictures come from it: a camera has further devices that give what is known about its
 * pictures, and there are some that take pictures.
 * @param udev what udev has found out, where there is udev
 * @param index which of its camera's devices it is
 */
export function isCapture(udev: string | undefined, index: string | undefined): boolean {
  const capabilities = /^E:ID_V4L_CAPABILITIES=(.*)$/m.exec(udev ?? '')?.[1];
  if (capabilities !== undefined) return capabilities.split(':').includes('capture');
  return index === undefined || index === '0';
}

export async function v4l2Cameras(places: V4l2Places = PLACES): Promise<DeviceList> {
  const names = await readdir(places.classes).catch(() => []);
  const numbers = names
    .map((name) => /^video(\d{1,3})$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .sort((a, b) => Number(a) - Number(b));
  const found: (Device | undefined)[] = [];
  let isForbidden = false;
  for (const number of numbers) {
    const about = (what: string): Promise<string | undefined> =>
      read(join(places.classes, `video${number}`, what));
    const udev = await read(join(places.udev, `c${(await about('dev')) ?? ''}`));
    if (!isCapture(udev, await about('index'))) continue;
    const path = join(places.devices, `video${number}`);
    await access(path, constants.R_OK | constants.W_OK).catch((error: NodeJS.ErrnoException) => {
      isForbidden ||= error.code === 'EACCES';
    });
    found.push(toDevice('camera', path, (await about('name')) ?? '', found.length === 0));
  }
  return {
    devices: bounded(found),
    problems: isForbidden
      ? ['You may not use the cameras: join the group "video" ("sudo usermod -aG video $USER").']
      : [],
  };
}
