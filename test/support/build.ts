/** The program as it is shipped, for the tests that start it. */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['bin', 'lib', 'package.json', 'package-lock.json'];

let building: Promise<string> | undefined;

/**
 * The JavaScript file that `bin.clchat` names, built first where a source is newer than it. With
 * `CLCHAT_BIN` that file is tested as it is: an installed package, say.
 */
export function program(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  const given = process.env['CLCHAT_BIN'];
  if (given !== undefined && given !== '') return given;
  const { bin } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    bin: { clchat: string };
  };
  const file = join(ROOT, bin.clchat);
  const built = await stat(join(ROOT, 'dist', 'completion.fish')).catch(() => undefined);
  const newest = Math.max(...(await Promise.all(SOURCES.map((name) => changed(join(ROOT, name))))));
  if (built === undefined || newest > built.mtimeMs)
    await promisify(execFile)(process.execPath, ['bin/build.mjs'], { cwd: ROOT });
  return file;
}

/** When a file, or anything in a directory, was last changed. */
async function changed(path: string): Promise<number> {
  const facts = await stat(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  const names = await readdir(path);
  const times = await Promise.all(names.map((name) => changed(join(path, name))));
  return Math.max(facts.mtimeMs, ...times);
}
