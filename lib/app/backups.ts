/** The commands that write a server into one file and make a server of such a file. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ClchatError } from '../errors.ts';
import { newSecret } from './handlers.ts';
import type { Ask } from './types.ts';

/** The home directory may be written as in a shell, and as completion offers it. */
function pathOf(written: string): string {
  return resolve(written.startsWith('~/') ? join(homedir(), written.slice(2)) : written);
}

const factsOf = (path: string) => stat(path).catch(() => undefined);

/**
 * The passphrase of a backup: handed in, or asked for.
 * @param isNew it is asked for twice, since nobody could open a backup after a slip of the finger
 */
export async function backupPassphrase(ask: Ask | undefined, isNew: boolean): Promise<string> {
  const given = process.env['CLCHAT_BACKUP_PASSPHRASE'];
  if (given !== undefined && given !== '') return given;
  if (ask === undefined)
    throw new ClchatError('USAGE', 'Set CLCHAT_BACKUP_PASSPHRASE to the passphrase of the backup.');
  return isNew
    ? newSecret(ask, 'Passphrase for the backup')
    : ask.secret('Passphrase of the backup');
}

/**
 * Where a backup is to be written: in a directory that is there, and over another file only when the
 * person says so.
 * @throws NO_SUCH_FILE, ALREADY
 */
export async function backupTarget(written: string, ask: Ask | undefined): Promise<string> {
  const path = pathOf(written);
  const directory = dirname(path);
  if ((await factsOf(directory))?.isDirectory() !== true)
    throw new ClchatError('NO_SUCH_FILE', `There is no directory ${directory}.`);
  const facts = await factsOf(path);
  if (facts === undefined) return path;
  if (facts.isDirectory())
    throw new ClchatError('ALREADY', `${path} is a directory; name a file in it.`);
  if (ask === undefined || !(await ask.confirm(`${path} exists. Replace it?`, false)))
    throw new ClchatError('ALREADY', `${path} exists, and stays as it is. Name another file.`);
  return path;
}

/** The backup to restore from. */
export function backupSource(written: string): string {
  return pathOf(written);
}
