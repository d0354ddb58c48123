/** Sends pictures and sound through real codecs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** How long one run may take, in milliseconds: the machine may be busy. */
export const FFMPEG_MS = 60_000;

/** Runs ffmpeg from its standard input to its standard output. */
export function ffmpeg(args: readonly string[], input: Uint8Array): Uint8Array {
  const { status, stdout, stderr, error } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-nostdin', ...args],
    { input, maxBuffer: 256e6, timeout: FFMPEG_MS },
  );
  assert.equal(error, undefined);
  assert.equal(status, 0, stderr.toString());
  return stdout;
}
