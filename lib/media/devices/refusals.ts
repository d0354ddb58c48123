/** How it is said what is not to be had, and what devices and programs say of themselves. */
import { ClchatError } from '../../errors.ts';
import { clean } from '../../text.ts';

const INSTALL: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'brew install ffmpeg',
  win32: 'winget install ffmpeg',
};

/** Says how ffmpeg is to be had. */
export function ffmpegIsMissing(platform: NodeJS.Platform): ClchatError {
  const how = INSTALL[platform] ?? 'apt install ffmpeg';
  return noWay(`ffmpeg is not installed: ${how}`);
}

export function noDevice(text: string, cause?: unknown): ClchatError {
  return new ClchatError('NO_DEVICE', text, cause === undefined ? {} : { cause });
}

/** As `noDevice`, where choosing another device would not help. */
export function noWay(text: string): ClchatError {
  return new ClchatError('NO_DEVICE', text, { data: { choice: false } });
}

export function isNoWay({ data }: ClchatError): boolean {
  return data?.['choice'] === false;
}

/** Characters of what a program, a device or a window says about itself, as it is shown. */
const MOST_SHOWN = 200;

/** Text of a program or a device, fit to be shown: one line, clean and bounded. */
export function shown(text: string): string {
  // Cut twice: first so that cleaning takes no time, then because nothing may be cut in two.
  const line = clean(text.slice(0, 4 * MOST_SHOWN)).trim();
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN - 1).toWellFormed()}…` : line;
}
