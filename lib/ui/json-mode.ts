/**
 * The machine mode: a command a line in, a JSON object a line out. Results keep the order of their
 * lines; events come in between as they happen.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { App, AppEvent, CommandCall } from '../app/types.ts';
import { ClchatError, EXIT } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import { clean, cleanAll } from '../text.ts';
import { commandOf } from './commands.ts';
import { MAX_LINE_BYTES, readLines, type Line } from './lines.ts';
import { BARE } from './format.ts';
import { BoundedOutput } from './output.ts';
import { parse } from './parse.ts';
import { Pipeline, type Task } from './pipeline.ts';
import { failure, resultLine, run, type Context, type Ending, type Outcome } from './runner.ts';
import { DEVICE_WORDS, isDeviceSetting, type DeviceSetting, type Settings } from './settings.ts';

/** How long output may still leave after an interrupt, in milliseconds. */
const INTERRUPTED_FLUSH_MS = 500;

export interface JsonModeOptions {
  readonly app: App;
  readonly input: Readable;
  readonly output: Writable;
  readonly settings: Settings;
  /** Goes on after the end of the input, until `quit` or the signal. */
  readonly headless: boolean;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
}

/** The fields of an event: a message without what only `history` tells. */
function eventFields(event: AppEvent): object {
  if (event.event !== 'message') return event;
  const { id, from, to, room, text, time, reply, file, mention } = event;
  const place = to === undefined ? { room } : { to };
  const also = Object.entries({ reply, file, mention }).filter(([, value]) => value !== undefined);
  return { event: 'message', id, from, ...place, text, time, ...Object.fromEntries(also) };
}

export function eventLine(event: AppEvent): string {
  return `${JSON.stringify({ type: 'event', ...cleanAll(eventFields(event)) })}\n`;
}

function readyLine(app: App): string {
  const { mode, server, user } = app.status();
  const who = user === undefined ? null : clean(user);
  const { id, name, addresses, connected, external, invite } = server ?? {};
  const about = {
    ...(server === undefined ? {} : { server: { id, name, addresses, connected } }),
    ...(invite === undefined ? {} : { addresses, external, invite }),
  };
  return `${JSON.stringify({ type: 'ready', mode, ...cleanAll(about), user: who })}\n`;
}

/** What a command names a device for calls by, and in which argument; undefined where it names none. */
function deviceIn({
  name,
  args,
}: CommandCall): { key: string; kind: DeviceSetting; written: string } | undefined {
  const isSetting = name === 'settings';
  const key = isSetting ? 'value' : 'name';
  // "mic" and "camera" are commands, too.
  const kind = isSetting ? args['name'] : name;
  const written = args[key];
  if (kind === undefined || !isDeviceSetting(kind) || written === undefined) return undefined;
  return { key, kind, written };
}

/** Whether what stands for a device means the file at a path. */
function isDeviceFile(kind: DeviceSetting, written: string, path: string): boolean {
  if (kind === 'screen' || DEVICE_WORDS[kind].includes(written)) return false;
  // That of a speaker is yet to be made.
  if (kind === 'speaker') return /\.wav$/i.test(written);
  if (kind === 'mic' && written.startsWith('tone:')) return false;
  try {
    return statSync(path).isFile();
  } catch {
    // It is the name of a device, or of nothing: whatever opens it will say so.
    return false;
  }
}

/** Paths as they are meant from a directory other than that of this process. */
function withPaths(call: CommandCall, directory: string | undefined): CommandCall {
  if (directory === undefined) return call;
  const args = { ...call.args };
  for (const { name, kind, here } of commandOf(call.name)?.arguments ?? []) {
    const path = kind === 'file' ? (args[name] ?? (here === true ? '.' : undefined)) : undefined;
    if (path !== undefined && !path.startsWith('~/')) args[name] = resolve(directory, path);
  }
  const device = deviceIn(call);
  if (device !== undefined) {
    const path = resolve(directory, device.written);
    if (isDeviceFile(device.kind, device.written, path)) args[device.key] = path;
  }
  return { ...call, args };
}

/** A line as a task; what cannot be parsed has its outcome already. */
export function taskOf(line: Line, context: Context): Task<Outcome> {
  let call: CommandCall;
  try {
    if (line === undefined)
      throw new ClchatError('TOO_LARGE', `A line may have up to ${MAX_LINE_BYTES} bytes.`);
    call = withPaths(parse(line), context.directory);
  } catch (error) {
    const outcome = failure(error);
    return { overlaps: true, run: () => Promise.resolve(outcome) };
  }
  return { overlaps: commandOf(call.name)?.overlaps === true, run: () => run(call, context) };
}

/** Serves the machine mode until its end; the App is not stopped. Never rejects. */
export async function runJsonMode(options: JsonModeOptions): Promise<Ending> {
  const { app, signal } = options;
  const pipeline = new Pipeline<Outcome | undefined>();
  let end: (ending: Ending) => void = () => undefined;
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  let quitting = false;
  const output = new BoundedOutput(options.output, {
    onGone: () => end({ reason: 'end', status: EXIT.fine }),
    onLeftOut: (count) =>
      eventLine({
        event: 'notice',
        code: 'RATE_LIMITED',
        text: `${count} events were left out because they were not read in time.`,
      }),
  });
  const context: Context = {
    app,
    style: BARE,
    local: {
      settings: options.settings,
      quit() {
        quitting = true;
      },
    },
  };
  output.write(readyLine(app));
  const unsubscribe = app.subscribe((event) => {
    output.offer(eventLine(event));
    // Whoever reads a machine's output has been told.
    if (event.event === 'message') app.seen();
    if (event.event === 'locked')
      void pipeline.idle().then(() => end({ reason: 'locked', status: EXIT.authentication }));
  });

  let lines = 0;
  const reader = readLines(options.input, {
    onLine(line) {
      if (quitting) return;
      const number = (lines += 1);
      app.touch();
      const task = taskOf(line, context);
      // Nothing that came after "quit" is begun any more, nor answered.
      const begin = async (): Promise<Outcome | undefined> => (quitting ? undefined : task.run());
      pipeline.push({ overlaps: task.overlaps, run: begin }, async (outcome) => {
        if (outcome === undefined) return;
        output.write(resultLine(number, outcome));
        if (quitting) end({ reason: 'quit', status: EXIT.fine });
        await output.room();
      });
      if (!pipeline.full) return;
      reader.pause();
      void pipeline.room().then(() => reader.resume());
    },
    onEnd() {
      if (options.headless) return;
      void pipeline.idle().then(() => end({ reason: 'end', status: EXIT.fine }));
    },
  });
  const onAbort = (): void => end({ reason: 'interrupt', status: EXIT.interrupted });
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });

  const ending = await ended;
  reader.stop();
  signal.removeEventListener('abort', onAbort);
  if (ending.reason === 'quit' || ending.reason === 'end')
    await app.settle().catch(() => undefined);
  unsubscribe();
  // A reader that is slow gets everything, unless we are told to go.
  await Promise.race([output.flush(), ...(signal.aborted ? [sleep(INTERRUPTED_FLUSH_MS)] : [])]);
  return ending;
}
