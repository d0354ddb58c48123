/** The program itself in machine mode on a host of an internet. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Line, LabProcess } from '../lan/process.ts';
import type { NamespaceHost } from '../support/namespaces.ts';

/** How long anything may take on a machine that has much else to do, in milliseconds. */
export const PATIENCE_MS = 30_000;

/** A program that has said that it is ready. */
export interface Started {
  readonly process: LabProcess;
  readonly ready: Line;
  /** Milliseconds from its start until then. */
  readonly milliseconds: number;
}

export interface Installed {
  /** The bundle. */
  readonly file: string;
  /** Where what it keeps may lie. */
  readonly directory: string;
}

export const event =
  (name: string, fields: Line = {}) =>
  (line: Line): boolean =>
    line['event'] === name && Object.entries(fields).every(([key, value]) => line[key] === value);
export const result = (line: Line): boolean => line['type'] === 'result';

/** What a program says when it can do, or when it cannot. */
export const isOutcome = (line: Line): boolean =>
  line['type'] === 'ready' || line['type'] === 'error';

/** @param data name of its data directory */
export function launch(
  host: NamespaceHost,
  { file, directory }: Installed,
  data: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): LabProcess {
  const flags = ['--json', ...args, '--data', join(directory, data)];
  return host.exec(process.execPath, [file, ...flags], {
    HOME: directory,
    XDG_DATA_HOME: directory,
    ...environment,
  });
}

/** @throws where it is not ready in time, or says that it cannot be */
export async function untilReady(host: string, start: () => LabProcess): Promise<Started> {
  const begun = performance.now();
  const running = start();
  const ready = await running.next(isOutcome, PATIENCE_MS, '"ready"');
  const milliseconds = performance.now() - begun;
  if (ready['type'] !== 'ready') throw new Error(`${host}: ${JSON.stringify(ready)}`);
  return { process: running, ready, milliseconds };
}

/** Has a program carry out a command. @returns the result, which is a good one */
export async function does(who: LabProcess, line: string): Promise<Line> {
  who.send(line);
  const answer = await who.next(result, PATIENCE_MS, `the answer to "${line}"`);
  assert.equal(answer['ok'], true, JSON.stringify(answer));
  return answer;
}

/** What a server for the internet is started with. */
export const SERVE = ['-s', '--name', 'acme', '--user', 'root', '--headless'];
