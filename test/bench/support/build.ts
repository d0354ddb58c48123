/** Builds what is measured: the product as it ships, and the workers that measure. */
import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as bundle, type BuildOptions } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Below `node_modules`, so that packages of the benches and of the product are found from there. */
export const CACHE = join(ROOT, 'test/bench/node_modules/.cache/bench');

export interface Programs {
  /** What `clchat` starts. */
  readonly clchat: string;
  /** The file of a worker. */
  worker(name: string): string;
}

/** @param readable a product with names and source maps, for profiles, in place of the one that ships */
export async function build(readable: boolean): Promise<Programs> {
  await rm(CACHE, { recursive: true, force: true });
  const [clchat] = await Promise.all([readable ? buildReadable() : buildShipped(), buildWorkers()]);
  return { clchat, worker: (name) => join(CACHE, 'workers', `${name}.mjs`) };
}

/** The product's own build, kept apart so that another build does not pull it away. */
async function buildShipped(): Promise<string> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'bin/build.mjs')]);
  const out = join(CACHE, 'dist');
  await cp(join(ROOT, 'dist'), out, { recursive: true });
  return join(out, 'clchat.js');
}

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  splitting: true,
  sourcemap: true,
  logLevel: 'warning',
  define: { CLCHAT_VERSION: '"bench"' },
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
} as const satisfies BuildOptions;

/** The same chunks as the product's, with names. */
async function buildReadable(): Promise<string> {
  const out = join(CACHE, 'readable');
  await bundle({
    ...COMMON,
    external: ['classic-level', 'sodium-native', '@roamhq/wrtc', 'decibri'],
    entryPoints: {
      main: 'bin/clchat.ts',
      'engine-child': 'lib/media/engine/engine-child.ts',
      'opaque-child': 'lib/node/opaque-child.ts',
      'verifier-thread': 'lib/node/verifier-thread.ts',
    },
    outdir: out,
  });
  await bundle({
    absWorkingDir: ROOT,
    platform: 'node',
    define: COMMON.define,
    entryPoints: { clchat: 'bin/launcher.cts' },
    format: 'cjs',
    outdir: out,
  });
  await writeFile(join(out, 'package.json'), '{"type":"commonjs"}\n');
  return join(out, 'clchat.js');
}

async function buildWorkers(): Promise<void> {
  const out = join(CACHE, 'workers');
  await mkdir(out, { recursive: true });
  await bundle({
    ...COMMON,
    // Packages stay apart, so that a profile shows which one it was.
    packages: 'external',
    entryPoints: ['test/bench/workers/*.ts'],
    outdir: out,
  });
  await bundle({
    ...COMMON,
    entryPoints: { 'verifier-thread': 'lib/node/verifier-thread.ts' },
    outdir: out,
  });
  // As the product is: its start is measured, too.
  await bundle({
    ...COMMON,
    minify: true,
    entryPoints: ['test/bench/workers/starts/*.ts'],
    outdir: join(out, 'starts'),
  });
}
