/** Cameras, by ffmpeg and what each system has for them. */
import { avfoundationIndex, avfoundationNames } from '../devices/avfoundation.ts';
import { askDshow, dshowInput } from '../devices/dshow.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, shown } from '../devices/refusals.ts';
import { v4l2Cameras } from '../devices/v4l2.ts';
import { AT_ONCE } from '../ffmpeg.ts';
import type { PictureSize } from '../frames.ts';
import type { VideoSource } from '../streams.ts';
import { openPictures } from './capture.ts';

/** Sizes that nearly every camera has; others are refused by some. */
const USUAL = [
  [320, 240],
  [640, 480],
  [1_280, 720],
  [1_920, 1_080],
] as const;

/** The least of the usual sizes in which there is as much as is wanted. */
function usualSize({ width, height }: PictureSize): string {
  const [, largest] = USUAL.slice(-2);
  const [across, down] = USUAL.find(([w, h]) => w >= width && h >= height) ?? largest!;
  return `${across}x${down}`;
}

/**
 * Arguments of ffmpeg that read a camera, best first.
 * @param name what ffmpeg calls it on that system: `/dev/video0`, the number, or the name
 */
export function cameraInputs(
  platform: NodeJS.Platform,
  name: string,
  size: PictureSize,
): string[][] {
  const sized = ['-video_size', usualSize(size)];
  if (platform === 'darwin') {
    // It takes only such rates as the camera names, to the hundredth, and does not choose itself.
    const ways = [[...sized, '-framerate', '30'], ...['30', '25', '15', '60'].map(rate), []];
    return ways.map((how) => ['-f', 'avfoundation', ...AT_ONCE, ...how, '-i', `${name}:none`]);
  }
  if (platform === 'win32') {
    // Raw pictures are large: its own bound is a second of small ones.
    const ways = [[...sized, ...rate('30')], sized, []];
    const most = ['-rtbufsize', '64M'];
    return ways.map((how) => ['-f', 'dshow', ...most, ...AT_ONCE, ...how, '-i', `video=${name}`]);
  }
  // The driver takes what is nearest, and if it does not, then what it is set to.
  return [sized, []].map((how) => ['-f', 'v4l2', ...AT_ONCE, ...how, '-i', name]);
}

const rate = (fps: string): string[] => ['-framerate', fps];

/**
 * What ffmpeg calls the camera that a person means.
 * @param spec `default`, its number, or its name
 * @throws NO_DEVICE
 */
async function findCamera(host: Host, spec: string): Promise<string> {
  const missing = (): Error => noDevice(`There is no camera "${shown(spec)}".`);
  if (host.platform === 'darwin') {
    const index = avfoundationIndex((await avfoundationNames(host)).video, spec);
    if (index === undefined) throw missing();
    return `${index}`;
  }
  if (host.platform === 'win32') {
    const name = dshowInput(await askDshow(host), 'video', spec);
    if (name === undefined) throw missing();
    return name;
  }
  if (/^\d{1,3}$/.test(spec)) return `/dev/video${spec}`;
  const { devices } = await v4l2Cameras();
  const device =
    spec === 'default'
      ? devices[0]
      : devices.find(({ id, label }) => id === spec || label === spec);
  if (device !== undefined) return device.id;
  // Links like those of /dev/v4l/by-id are not listed.
  if (!spec.startsWith('/dev/')) throw missing();
  return spec;
}

export interface CameraOptions {
  /** Arguments in place of those that read the camera. */
  readonly inputs?: readonly (readonly string[])[] | undefined;
  readonly openMs?: number | undefined;
  readonly stallMs?: number | undefined;
}

/** @throws NO_DEVICE */
export async function openCameraDevice(
  host: Host,
  spec: string,
  size: PictureSize,
  options: CameraOptions = {},
): Promise<VideoSource> {
  const { inputs, openMs, stallMs } = options;
  const name = inputs === undefined ? await findCamera(host, spec) : spec;
  const hint =
    host.platform === 'darwin'
      ? 'The terminal may have to be allowed to use the camera: System Settings, Privacy & Security.'
      : 'Another program may be using it.';
  return openPictures(
    {
      host,
      label: spec === 'default' ? 'camera' : `camera ${shown(spec)}`,
      inputs: inputs ?? cameraInputs(host.platform, name, size),
      hint,
      openMs,
      stallMs,
    },
    size,
  );
}
