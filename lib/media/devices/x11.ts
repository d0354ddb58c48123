/** Screens and windows of X. */
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { bounded, NOTHING, toDevice, type DeviceList } from './device.ts';
import { ask, type Host } from './host.ts';

const SOCKETS = '/tmp/.X11-unix';

/** `:0`, `:0.1`, `host:10.0`; the display number and the screen. */
const DISPLAY = /^[A-Za-z0-9.-]{0,64}:\d{1,5}(?:\.\d{1,3})?$/;

export function isDisplay(text: string): boolean {
  return DISPLAY.test(text);
}

/** The display of this session; undefined where there is none, or none that can be named. */
export function ownDisplay({ environment }: Host): string | undefined {
  const display = environment['DISPLAY'];
  return display !== undefined && isDisplay(display) ? display : undefined;
}

/** Whether the session draws by Wayland, which lets nobody see more than their own windows. */
export function isWayland({ environment }: Host): boolean {
  return (environment['WAYLAND_DISPLAY'] ?? '') !== '';
}

/** What goes where there is no X. */
export const WAYLAND_HELP =
  'This session runs on Wayland, where screens cannot be read. Log in to a session on X (Xorg), or share what is on an X server of your own: "Xwayland :9", then "golive" with the screen ":9".';

/** Whether there is a server behind a socket: those of servers that have crashed stay. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const say = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => say(true));
    socket.on('error', () => say(false));
  });
}

export async function x11Screens(host: Host, sockets = SOCKETS): Promise<DeviceList> {
  const own = ownDisplay(host);
  const listed = await readdir(sockets).catch(() => []);
  const live = await Promise.all(listed.map((name) => answers(join(sockets, name))));
  const names = listed.filter((_, at) => live[at]);
  const others = names
    .map((name) => /^X(\d{1,5})$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map((number) => `:${number}`)
    .filter((display) => display !== own && `${display}.0` !== own)
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  const devices = bounded([
    ...(own === undefined ? [] : [toDevice('screen', own, `X display ${own}`, true)]),
    ...others.map((display) => toDevice('screen', display, `X display ${display}`)),
  ]);
  if (!isWayland(host)) return { ...NOTHING, devices };
  if (devices.length === 0) return { devices, problems: [WAYLAND_HELP] };
  const some =
    'This session runs on Wayland: of its screens, only windows of programs for X are seen.';
  return { devices, problems: [some] };
}

export interface XWindow {
  /** A number in hexadecimal: `0x1a00003`. */
  readonly id: string;
  readonly title: string;
}

const WINDOW = /^\s+(?<id>0x[0-9a-f]{1,8}) "(?<rest>.*)$/;
/** What comes after a title: its program, in brackets, then its size and its places. */
const AFTER_TITLE = '": (';
const SIZE = /\) +(?<width>\d{1,5})x(?<height>\d{1,5})[+-]/;
const MOST_WINDOWS = 1_000;
/** Characters of a line; titles may be of any length. */
const LONGEST_LINE = 2_000;
/** Pixels of a side: programs keep windows of a pixel or so for their own purposes. */
const LEAST_SIDE = 10;

function parseWindow(line: string): XWindow | undefined {
  if (line.length > LONGEST_LINE) return undefined;
  const { id, rest = '' } = WINDOW.exec(line)?.groups ?? {};
  const end = rest.lastIndexOf(AFTER_TITLE);
  const { width, height } = SIZE.exec(rest.slice(end))?.groups ?? {};
  if (id === undefined || end < 1 || Math.min(Number(width), Number(height)) < LEAST_SIDE)
    return undefined;
  return width === undefined ? undefined : { id, title: rest.slice(0, end) };
}

/** Reads what `xwininfo -root -tree` prints: the windows that have a title and some size, topmost first. */
export function parseWindows(text: string): XWindow[] {
  const windows: XWindow[] = [];
  for (const line of text.split('\n')) {
    const window = parseWindow(line);
    if (window !== undefined) windows.push(window);
    if (windows.length === MOST_WINDOWS) break;
  }
  return windows;
}

/** @returns undefined where they cannot be asked */
export async function xWindows(host: Host, display: string): Promise<XWindow[] | undefined> {
  const answer = await ask(host, 'xwininfo', ['-display', display, '-root', '-tree']);
  return answer.hasFailed ? undefined : parseWindows(answer.output);
}

/** The window that a person means: its title, or else a part of it, in any case. */
export function findWindow(windows: readonly XWindow[], title: string): XWindow | undefined {
  const wanted = title.toLowerCase();
  return (
    windows.find((one) => one.title === title) ??
    windows.find((one) => one.title.toLowerCase().includes(wanted))
  );
}
