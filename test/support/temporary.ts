/** Places on disk for tests, removed again when the test is over. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';

/** A small file system in memory, mounted on `directory`. */
export interface TinyDisk {
  readonly directory: string;
  makeReadOnly(): void;
  makeWritable(): void;
  resize(kilobytes: number): void;
}

export interface Temporary {
  readonly newDirectory: () => Promise<string>;
  /** Skips the test where nothing can be mounted: that takes root on Linux. */
  readonly newDisk: (test: Context, kilobytes: number) => Promise<TinyDisk>;
}

/** To be called inside a `describe`: all that is made is removed after each of its tests. */
export function temporary(): Temporary {
  const directories: string[] = [];
  const mounted: string[] = [];

  afterEach(async () => {
    for (const directory of mounted.splice(0)) execFileSync('umount', ['-l', directory]);
    for (const directory of directories.splice(0))
      await rm(directory, { recursive: true, force: true });
  });

  const newDirectory = async (): Promise<string> => {
    const directory = await mkdtemp(join(tmpdir(), 'clchat-test-'));
    directories.push(directory);
    return directory;
  };

  const newDisk = async (test: Context, kilobytes: number): Promise<TinyDisk> => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) test.skip();
    const directory = await newDirectory();
    const mount = (options: string): void => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
    };
    mount(`size=${kilobytes}k,mode=0700`);
    mounted.push(directory);
    return {
      directory,
      makeReadOnly: () => mount('remount,ro'),
      makeWritable: () => mount('remount,rw'),
      resize: (size) => mount(`remount,size=${size}k`),
    };
  };

  return { newDirectory, newDisk };
}
