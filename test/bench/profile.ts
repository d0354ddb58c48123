/**
 * Adds up CPU profiles of node (`--cpu-prof`): what took the most time itself, by module and by
 * function, with names from source maps.
 *
 *   node --import tsx test/bench/profile.ts [--top N] FILE.cpuprofile…
 */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const maps = new Map<string, SourceMap | undefined>();

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) {
    const path = `${file}.map`;
    const payload = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload)
      : undefined;
    maps.set(file, payload === undefined ? undefined : new SourceMap(payload));
  }
  return maps.get(file);
}

/** Module and line in the source that a frame came from. */
function placeOf(url: string, line: number, column: number): { module: string; line: number } {
  if (!url.startsWith('file:')) return { module: url === '' ? '(node)' : url, line: line + 1 };
  const file = fileURLToPath(url);
  const entry = mapOf(file)?.findEntry(line, column);
  if (entry === undefined || !('originalSource' in entry))
    return { module: nameOf(file), line: line + 1 };
  const source = resolve(dirname(file), entry.originalSource);
  return { module: nameOf(source), line: entry.originalLine + 1 };
}

/** Our own files by their path, others by their package. */
function nameOf(file: string): string {
  const packages = file.lastIndexOf('node_modules/');
  if (packages < 0) return relative(ROOT, file);
  const [scope = '', name = '', ...rest] = file.slice(packages + 13).split('/');
  return scope.startsWith('@') ? `${scope}/${name}/${rest.join('/')}` : file.slice(packages + 13);
}

function packageOf(module: string): string {
  if (/^(lib|bin|test|node:|\()/.test(module)) return module;
  const [scope = '', name = ''] = module.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

type Ranking = [name: string, milliseconds: number][];

export interface Totals {
  /** Milliseconds. */
  readonly total: number;
  readonly idle: number;
  /** Time in each itself. */
  readonly modules: Ranking;
  readonly functions: Ranking;
  /** Our own functions with all that they call, as far as no await is between. */
  readonly inclusive: Ranking;
}

interface Frame {
  readonly module: string;
  readonly name: string;
  readonly isOurs: boolean;
}

function frameOf({ functionName, url, lineNumber, columnNumber }: CallFrame): Frame {
  if (url === '' && functionName.startsWith('('))
    return { module: functionName, name: functionName, isOurs: false };
  const { module, line } = placeOf(url, lineNumber, columnNumber);
  return {
    module: packageOf(module),
    name: `${functionName || '(anonymous)'} ${module}:${line}`,
    isOurs: /^(lib|bin)\//.test(module),
  };
}

export function addUp(profiles: readonly Profile[]): Totals {
  const modules = new Map<string, number>();
  const functions = new Map<string, number>();
  const inclusive = new Map<string, number>();
  const add = (map: Map<string, number>, name: string, spent: number): void =>
    void map.set(name, (map.get(name) ?? 0) + spent);
  let total = 0;
  let idle = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const spentIn = new Map<number, number>();
    samples.forEach((id, index) => {
      const spent = (timeDeltas[index] ?? 0) / 1_000;
      total += spent;
      spentIn.set(id, (spentIn.get(id) ?? 0) + spent);
    });
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, frameOf(callFrame)]));
    const parents = new Map<number, number>();
    for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
    for (const [id, spent] of spentIn) {
      const frame = frames.get(id);
      if (frame === undefined) continue;
      if (frame.name === '(idle)') {
        idle += spent;
        continue;
      }
      add(modules, frame.module, spent);
      add(functions, frame.name, spent);
      // One that calls itself counts once.
      const ours = new Set<string>();
      for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
        const above = frames.get(at);
        if (above?.isOurs === true) ours.add(above.name);
      }
      for (const name of ours) add(inclusive, name, spent);
    }
  }
  const ranked = (map: Map<string, number>): Ranking => [...map].sort((a, b) => b[1] - a[1]);
  return {
    total,
    idle,
    modules: ranked(modules),
    functions: ranked(functions),
    inclusive: ranked(inclusive),
  };
}

/** The top of each list as text, in percent of the time that was not idle. */
export function textOf(
  { total, idle, modules, functions, inclusive }: Totals,
  top: number,
): string {
  const busy = total - idle;
  const list = (rows: Ranking): string =>
    rows
      .slice(0, top)
      .map(([name, spent]) => `  ${((spent / busy) * 100).toFixed(1).padStart(5)} %  ${name}\n`)
      .join('');
  return `${(total / 1_000).toFixed(1)} s, ${((busy / total) * 100).toFixed(0)} % busy
modules:
${list(modules)}functions:
${list(functions)}our functions with what they call:
${list(inclusive)}`;
}

async function read(file: string): Promise<Profile> {
  return JSON.parse(await readFile(file, 'utf8')) as Profile;
}

/** All profiles of a directory, those of one label (`LABEL-N.cpuprofile`) together. */
export async function topOfDirectory(directory: string, top = 25): Promise<string> {
  const labels = new Map<string, string[]>();
  for (const file of await readdir(directory)) {
    const label = /^(.+)-\d+\.cpuprofile$/.exec(file)?.[1];
    if (label !== undefined) labels.set(label, [...(labels.get(label) ?? []), file]);
  }
  let text = '';
  for (const [label, files] of labels) {
    const profiles = await Promise.all(files.map((file) => read(join(directory, file))));
    text += `\n${label} (${files.length} processes): ${textOf(addUp(profiles), top)}`;
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { top: { type: 'string', default: '40' } },
  });
  const profiles = await Promise.all(positionals.map(read));
  process.stdout.write(textOf(addUp(profiles), Number(values.top)));
}
