/**
 * Builds `dist/`: the launcher, the program as an ESM bundle whose heavy parts load when they are
 * needed, the helper processes for passwords and calls, and the manual page and shell completions.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { noticesOf } from './notices.mjs';

const out = new URL('../dist/', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { CLCHAT_VERSION: JSON.stringify(version) },
  absWorkingDir: new URL('..', import.meta.url).pathname,
};

/** One dependency reads its own package.json by a path that a bundle does not have. */
const ownVersions = {
  name: 'own-versions',
  setup({ onLoad }) {
    onLoad({ filter: /@achingbrain[\\/]ssdp[\\/].*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        /req(?:uire)?\(['"](?:\.\.\/)+package\.json['"]\)/g,
        '({ name: "ssdp", version: "0" })',
      ),
      loader: 'js',
    }));
  },
};

const { metafile } = await build({
  ...common,
  metafile: true,
  // They load native parts by their own files, so they stay outside.
  external: ['classic-level', 'sodium-native', '@roamhq/wrtc', 'decibri'],
  entryPoints: {
    main: 'bin/clchat.ts',
    'engine-child': 'lib/media/engine/engine-child.ts',
    'opaque-child': 'lib/node/opaque-child.ts',
    'verifier-thread': 'lib/node/verifier-thread.ts',
  },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  format: 'esm',
  splitting: true,
  chunkNames: '[name]-[hash]',
  plugins: [ownVersions],
  // What some CommonJS packages inside the bundle expect to find.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

// The launcher is CommonJS and does nothing but what must be quick.
await build({
  ...common,
  entryPoints: { clchat: 'bin/launcher.cts' },
  outdir: 'dist',
  format: 'cjs',
  legalComments: 'none',
  external: ['./main.mjs'],
  banner: { js: '#!/usr/bin/env node' },
});
await writeFile(new URL('package.json', out), '{"type":"commonjs"}\n');
await chmod(new URL('clchat.js', out), 0o755);

await writeFile(new URL('third-party.txt', out), await noticesOf(Object.keys(metafile.inputs)));

// Made by the program itself, from the tables it works by.
const { generate } = await import(new URL('main.mjs', out));
for (const [name, text] of Object.entries(generate())) await writeFile(new URL(name, out), text);
