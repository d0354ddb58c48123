/** Files of this host that a person names, to be read or to be written. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ClchatError } from '../errors.ts';
import type { Ask } from './types.ts';

/** The home directory may be written as in a shell, and as completion offers it. */
export function pathOf(written: string): string {
  return resolve(written.startsWith('~/') ? join(homedir(), written.slice(2)) : written);
}

const factsOf = (path: string) => stat(path).catch(() => undefined);

/** Where something is to be written. */
export interface Target {
  readonly path: string;
  /** Takes the place of a file that is there, with the person's consent. */
  readonly replaces: boolean;
}

/**
 * Where a file is to be written: in a directory that is there, and over another file only when the
 * person says so.
 * @throws NO_SUCH_FILE, ALREADY
 */
export async function targetOf(written: string, ask: Ask | undefined): Promise<Target> {
  const path = pathOf(written);
  const directory = dirname(path);
  if ((await factsOf(directory))?.isDirectory() !== true)
    throw new ClchatError('NO_SUCH_FILE', `There is no directory ${directory}.`);
  const facts = await factsOf(path);
  if (facts === undefined) return { path, replaces: false };
  if (facts.isDirectory())
    throw new ClchatError('ALREADY', `${path} is a directory; name a file in it.`);
  if (!facts.isFile()) throw new ClchatError('ALREADY', `${path} is there, and is no file.`);
  if (ask === undefined || !(await ask.confirm(`${path} exists. Replace it?`, false)))
    throw new ClchatError('ALREADY', `${path} exists, and stays as it is. Name another file.`);
  return { path, replaces: true };
}

/** That what was not to replace anything still does not. @throws ALREADY */
export async function mustStillBeFree({ path, replaces }: Target): Promise<void> {
  if (!replaces && (await factsOf(path)) !== undefined)
    throw new ClchatError('ALREADY', `${path} has come about meanwhile, and stays as it is.`);
}
