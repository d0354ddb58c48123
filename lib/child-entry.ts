/** Where a helper process starts, in the source tree and in the bundle alike. */
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface ChildEntry {
  readonly path: string;
  /** Arguments of node itself. */
  readonly execArgv: string[];
}

/**
 * An entry by its path in this directory, without its ending: `<entry>.ts` in the source tree; all
 * lie beside one another as `<name>.mjs` in the bundle.
 */
export function childEntry(entry: string): ChildEntry {
  const isSource = import.meta.url.endsWith('.ts');
  const file = isSource ? `${entry}.ts` : `${basename(entry)}.mjs`;
  return {
    path: fileURLToPath(new URL(`./${file}`, import.meta.url)),
    // Not the parent's own arguments: a debugger's port cannot be opened twice.
    execArgv: isSource ? ['--import', pathToFileURL(loader()).href] : [],
  };
}

function loader(): string {
  return createRequire(import.meta.url).resolve('tsx');
}
