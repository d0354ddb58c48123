/** Directories that are there for good once they have been made. */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ClchatError } from '../errors.ts';

/**
 * Makes a directory that only its owner may enter, and those above it that are missing. One that is
 * there already is left as it is.
 * @throws NO_SUCH_FILE when something else has its name, or the system's own error
 */
export async function makeDirectory(path: string): Promise<void> {
  const full = resolve(path);
  let made = await makeOne(full);
  if (made === 'no parent') {
    // Not node's own recursion: that says ENOENT whatever it was that failed.
    await makeDirectory(dirname(full));
    made = await makeOne(full);
  }
  if (made === 'no parent') throw new ClchatError('NO_SUCH_FILE', `${dirname(full)} is gone.`);
  if (made === 'made') await syncDirectory(dirname(full));
}

async function makeOne(path: string): Promise<'made' | 'there' | 'no parent'> {
  try {
    await mkdir(path, { mode: 0o700 });
    return 'made';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) return 'no parent';
    if (await isDirectory(path)) return 'there';
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new ClchatError('NO_SUCH_FILE', `${path} is not a directory.`, { cause: error });
    throw error;
  }
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Makes the names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories, and its file system writes names through.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
