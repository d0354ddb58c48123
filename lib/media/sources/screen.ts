/** Screens and windows, by ffmpeg and what each system has for them. */
import { avfoundationIndex, avfoundationNames } from '../devices/avfoundation.ts';
import type { Host } from '../devices/host.ts';
import { noDevice, noWay, shown } from '../devices/refusals.ts';
import {
  findWindow,
  isDisplay,
  isWayland,
  ownDisplay,
  WAYLAND_HELP,
  xWindows,
} from '../devices/x11.ts';
import { AT_ONCE } from '../ffmpeg.ts';
import type { PictureSize } from '../frames.ts';
import type { VideoSource } from '../streams.ts';
import { openPictures } from './capture.ts';

/** What a person wrote: `default`, a display or its number, or `window:` and its title or number. */
export type ScreenSpec =
  { readonly display: string } | { readonly window: string } | 'default' | undefined;

/** @returns undefined for what has no such form */
export function parseScreen(spec: string): ScreenSpec {
  if (spec === 'default' || spec === 'desktop') return 'default';
  const window = /^window:(.+)$/s.exec(spec)?.[1]?.trim();
  if (window !== undefined && window !== '') return { window };
  if (isDisplay(spec) || /^(?:Capture screen )?\d{1,3}$/.test(spec)) return { display: spec };
  return undefined;
}

/** Arguments of ffmpeg that read an X display, or one window of it by its number. */
export function x11Input(display: string, fps: number, window?: string): string[] {
  const one = window === undefined ? [] : ['-window_id', window];
  return ['-f', 'x11grab', ...AT_ONCE, '-framerate', `${fps}`, ...one, '-i', display];
}

/** @param index of the screen among all that gives pictures */
export function avfoundationScreenInput(index: number, fps: number): string[] {
  const how = ['-capture_cursor', '1', '-framerate', `${fps}`];
  return ['-f', 'avfoundation', ...AT_ONCE, ...how, '-i', `${index}:none`];
}

/** @param window its title; undefined: all screens */
export function gdigrabInput(fps: number, window?: string): string[] {
  const what = window === undefined ? 'desktop' : `title=${window}`;
  return ['-f', 'gdigrab', ...AT_ONCE, '-framerate', `${fps}`, '-i', what];
}

async function linuxInput(host: Host, screen: ScreenSpec, fps: number): Promise<string[]> {
  if (typeof screen === 'object' && 'display' in screen) {
    const { display } = screen;
    return x11Input(isDisplay(display) ? display : `:${display}`, fps);
  }
  const display = ownDisplay(host);
  if (display === undefined)
    throw noWay(isWayland(host) ? WAYLAND_HELP : 'There is no screen: DISPLAY is not set.');
  if (typeof screen !== 'object') return x11Input(display, fps);
  const { window } = screen;
  if (/^0x[0-9a-f]{1,8}$/i.test(window)) return x11Input(display, fps, window);
  const windows = await xWindows(host, display);
  if (windows === undefined)
    throw noWay(
      'Windows can be found by their titles only with "xwininfo": apt install x11-utils. By its number, "window:0x…", one can be shared without.',
    );
  const found = findWindow(windows, window);
  if (found === undefined) {
    const titles = windows.slice(0, 8).map(({ title }) => `"${shown(title)}"`);
    throw noWay(`There is no window "${shown(window)}". There are: ${titles.join(', ')}.`);
  }
  return x11Input(display, fps, found.id);
}

async function macInput(host: Host, screen: ScreenSpec, fps: number): Promise<string[]> {
  if (typeof screen === 'object' && 'window' in screen)
    throw noWay('On macOS whole screens can be shared, but no single windows.');
  const spec = typeof screen === 'object' ? screen.display : 'default';
  const index = avfoundationIndex((await avfoundationNames(host)).video, spec, true);
  if (index === undefined) throw noDevice(`There is no screen "${shown(spec)}".`);
  return avfoundationScreenInput(index, fps);
}

function windowsInput(screen: ScreenSpec, fps: number): string[] {
  if (typeof screen === 'object' && 'display' in screen)
    throw noWay('On Windows all screens are shared ("desktop"), or one "window:TITLE".');
  return gdigrabInput(fps, typeof screen === 'object' ? screen.window : undefined);
}

/** @throws NO_DEVICE */
export async function openScreenDevice(
  host: Host,
  spec: string,
  size: PictureSize,
): Promise<VideoSource> {
  const screen = parseScreen(spec);
  if (screen === undefined) throw noDevice(`There is no screen "${shown(spec)}".`);
  const fps = Math.min(30, Math.max(1, Math.round(size.fps)));
  const input = await (() => {
    if (host.platform === 'darwin') return macInput(host, screen, fps);
    if (host.platform === 'win32') return windowsInput(screen, fps);
    return linuxInput(host, screen, fps);
  })();
  const hint =
    host.platform === 'darwin'
      ? 'The terminal may have to be allowed to record the screen: System Settings, Privacy & Security.'
      : undefined;
  return openPictures(
    { host, label: spec === 'default' ? 'screen' : `screen ${shown(spec)}`, inputs: [input], hint },
    size,
  );
}
