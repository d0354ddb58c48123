/** The commands that write a server into one file and make a server of such a file. */
import { ClchatError } from '../errors.ts';
import { newSecret } from './handlers.ts';
import { pathOf, targetOf } from './moving-paths.ts';
import type { Ask } from './types.ts';

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

/** Where a backup is to be written. @throws as `targetOf` */
export async function backupTarget(written: string, ask: Ask | undefined): Promise<string> {
  return (await targetOf(written, ask)).path;
}

/** The backup to restore from. */
export function backupSource(written: string): string {
  return pathOf(written);
}
