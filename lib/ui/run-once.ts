/** `-e`: one command, its result, its status. */
import type { Writable } from 'node:stream';
import type { App } from '../app/types.ts';
import { BARE } from './format.ts';
import { parse } from './parse.ts';
import { failure, resultLine, run, statusOf, type Outcome } from './runner.ts';
import type { Settings } from './settings.ts';

export interface Streams {
  readonly output: Writable;
  readonly errors: Writable;
}

/** Runs one command line with nobody to ask, and waits for what it set going. Never rejects. */
export async function runOnce(line: string, app: App, settings: Settings): Promise<Outcome> {
  try {
    const call = parse(line);
    const local = { settings, quit: () => undefined };
    const outcome = await run(call, { app, local, style: BARE });
    await app.settle();
    return outcome;
  } catch (error) {
    return failure(error);
  }
}

/**
 * Prints an outcome: its text, or with `json` the object of the machine mode; an error as
 * `CODE: text` on the error stream. Resolves when it has left the process.
 * @returns the exit status
 */
export async function printOutcome(
  outcome: Outcome,
  json: boolean,
  streams: Streams,
): Promise<number> {
  const [stream, text] = json
    ? [streams.output, resultLine(1, outcome)]
    : outcome.ok
      ? [streams.output, outcome.text === '' ? '' : `${outcome.text}\n`]
      : [streams.errors, `${outcome.code}: ${outcome.text}\n`];
  // Whoever does not read any more misses the text, not the status.
  stream.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    stream.on('close', resolve);
    stream.write(text, () => resolve());
  });
  return statusOf(outcome);
}
