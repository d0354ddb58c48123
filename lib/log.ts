/** The program's log: one line an event, to standard error or a file, never to standard output. */
import { createWriteStream } from 'node:fs';
import { ClchatError, isAbort, translate } from './errors.ts';
import { clean } from './text.ts';

export interface Log {
  info(text: string): void;
  /** Something that should not have happened. Refusals and aborts are no faults and say less. */
  fault(error: unknown): void;
  close(): Promise<void>;
}

/** Lines a second; what comes faster is counted and left out, so that no peer can fill the disk. */
const LINES_A_SECOND = 50;

export const SILENT: Log = {
  info: () => undefined,
  fault: () => undefined,
  close: async () => undefined,
};

function describe(error: unknown): string {
  if (!(error instanceof Error)) return clean(String(error));
  const cause = error.cause === undefined ? '' : `: ${describe(error.cause)}`;
  const code = error instanceof ClchatError ? `${error.code} ` : '';
  // The stack says where; only for faults of the program itself.
  const stack = error instanceof ClchatError && error.code !== 'INTERNAL' ? '' : stackOf(error);
  return `${code}${clean(error.message)}${cause}${stack}`;
}

function stackOf({ stack }: Error): string {
  const lines = (stack ?? '').split('\n').slice(1, 6);
  return lines.map((line) => `\n    ${clean(line.trim())}`).join('');
}

/**
 * @param file undefined: standard error, which gets faults only
 * @param silent nothing but a file: where a log would spoil a person's screen
 * @throws DATA_READ_ONLY and the like when the file cannot be opened
 */
export async function openLog(file: string | undefined, silent: boolean): Promise<Log> {
  if (file === undefined && silent) return SILENT;
  const stream =
    file === undefined ? process.stderr : createWriteStream(file, { flags: 'a', mode: 0o600 });
  if (stream !== process.stderr)
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve());
      stream.once('error', (error) => reject(translate(error)));
    });
  // A full disk or a closed terminal must not end the program.
  stream.on('error', () => undefined);
  let second = 0;
  let lines = 0;
  let left = 0;
  const write = (level: string, text: string): void => {
    const now = new Date();
    const thisSecond = Math.floor(now.getTime() / 1_000);
    if (thisSecond !== second) {
      if (left > 0) stream.write(`${now.toISOString()} info ${left} lines left out\n`);
      [second, lines, left] = [thisSecond, 0, 0];
    }
    if (++lines > LINES_A_SECOND) {
      left++;
      return;
    }
    stream.write(`${now.toISOString()} ${level} ${text}\n`);
  };
  return {
    info: (text) => {
      if (file !== undefined) write('info', clean(text));
    },
    fault: (error) => {
      if (isAbort(error)) return;
      const expected = error instanceof ClchatError && error.code !== 'INTERNAL';
      if (expected && file === undefined) return;
      write(expected ? 'note' : 'fault', describe(error));
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === process.stderr) resolve();
        else stream.end(() => resolve());
      }),
  };
}
