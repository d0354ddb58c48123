/** What lies on the disk of programs that exchange files. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256 of a file. */
export function sumOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Whether any file below a directory has these bytes in it. */
export function isFound(directory: string, bytes: string): boolean {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    if (readFileSync(join(entry.parentPath, entry.name)).includes(bytes)) return true;
  }
  return false;
}

/** Names of the files in which a profile keeps those of messages. */
export function blobsOf(directory: string): string[] {
  const blobs = join(directory, 'blobs');
  return existsSync(blobs) ? readdirSync(blobs).sort() : [];
}
