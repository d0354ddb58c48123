/** Bundles the fixtures, as the product is bundled: they start in a third of the time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface Bundle {
  /** The script to run for a fixture. */
  path(fixture: string): string;
  remove(): Promise<void>;
}

export async function bundleFixtures(...fixtures: readonly string[]): Promise<Bundle> {
  const directory = await mkdtemp(join(tmpdir(), 'clchat-fixtures-'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await build({
    entryPoints: fixtures.map((name) =>
      fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url)),
    ),
    outdir: directory,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    // Some packages are CommonJS and ask for Node's own modules.
    banner: {
      js: `import { createRequire as bundleRequire } from 'node:module';
           const require = bundleRequire(import.meta.url);`,
    },
  });
  return {
    path: (fixture) => join(directory, `${fixture}.js`),
    remove: () => rm(directory, { recursive: true }),
  };
}
