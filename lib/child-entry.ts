/** Where a helper process starts, in the source tree and in the bundle alike. */
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface ChildEntry {
  readonly path: string;
  /** Arguments of node itself. */
  readonly execArgv: string[];
}

/** The entry that lies beside this module: `<name>.ts` in the source tree, `<name>.mjs` in the bundle. */
export function childEntry(name: string): ChildEntry {
  const isSource = import.meta.url.endsWith('.ts');
  return {
    path: fileURLToPath(new URL(`./${name}${isSource ? '.ts' : '.mjs'}`, import.meta.url)),
    // Not the parent's own arguments: a debugger's port cannot be opened twice.
    execArgv: isSource ? ['--import', pathToFileURL(loader()).href] : [],
  };
}

function loader(): string {
  return createRequire(import.meta.url).resolve('tsx');
}
