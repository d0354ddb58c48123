/** The program: the command line becomes options, options choose the way in and the front end. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClchatApp } from '../lib/app.ts';
import type { DeviceNames } from '../lib/app/calls/call-devices.ts';
import type { Ask } from '../lib/app/types.ts';
import { ClchatError, EXIT, exitStatusOf, hasCode, type ErrorCode } from '../lib/errors.ts';
import { systemClock } from '../lib/lifecycle.ts';
import { openLog, type Log } from '../lib/log.ts';
import { clean } from '../lib/text.ts';
import { parseOptions, smtpUrlOf, turnUrlOf } from '../lib/ui/command-line.ts';
import { NO_VIEW } from '../lib/ui/call-view.ts';
import { completionScript } from '../lib/ui/completions.ts';
import { controlPath, runThroughControl, serveControl } from '../lib/ui/control.ts';
import { createPrompt, wantsColours } from '../lib/ui/create-prompt.ts';
import { programHelp } from '../lib/ui/help.ts';
import { eventLine, runJsonMode } from '../lib/ui/json-mode.ts';
import { runLineMode } from '../lib/ui/line-mode.ts';
import { manualPage } from '../lib/ui/manual.ts';
import { SHELLS, type Options } from '../lib/ui/options.ts';
import type { Prompt } from '../lib/ui/prompt.ts';
import { printOutcome, runOnce } from '../lib/ui/run-once.ts';
import { errorLine, failure, type Ending } from '../lib/ui/runner.ts';
import { Settings } from '../lib/ui/settings.ts';
import { wrapLines } from '../lib/ui/width.ts';
import { enter } from './way-in.ts';

declare const CLCHAT_VERSION: string | undefined;

/** Set by the bundler; the source tree runs as the version to come. */
const VERSION = typeof CLCHAT_VERSION === 'string' ? CLCHAT_VERSION : '0.0.0';

/** Files that the build makes of the program's own tables. */
export function generate(): Record<string, string> {
  return {
    'clchat.1': manualPage(VERSION),
    ...Object.fromEntries(SHELLS.map((shell) => [`completion.${shell}`, completionScript(shell)])),
  };
}

/** Everything that a run holds on to, to be let go in order. */
class Run {
  readonly options: Options;
  readonly interrupt = new AbortController();
  /** What the signal that ended it asks for. */
  status: number = EXIT.interrupted;
  /** The input ended in the midst of a question. */
  unanswered = false;
  prompt: Prompt | undefined;
  app: ClchatApp | undefined;
  log: Log | undefined;

  constructor(options: Options) {
    this.options = options;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (this.interrupt.signal.aborted) this.force();
      this.status = signal === 'SIGINT' ? EXIT.interrupted : EXIT.fine;
      this.interrupt.abort();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  }

  /** The person, or the system, will not wait any longer. */
  force(): never {
    this.prompt?.close();
    process.exit(EXIT.interrupted);
  }

  get attended(): boolean {
    const { json, execute } = this.options;
    return !json && execute === undefined && process.stdin.isTTY === true;
  }

  openPrompt(): Prompt {
    this.prompt ??= createPrompt({
      input: process.stdin,
      output: process.stdout,
      environment: process.env,
      plain: this.options.plain,
      historyPath: join(homedir(), '.clchat_history'),
      onStop: (reason) => {
        if (reason === 'force') this.force();
        if (reason === 'unanswered') {
          // What was asked fails with it, and says so.
          this.unanswered = true;
          return;
        }
        this.status = EXIT.interrupted;
        this.interrupt.abort();
        setTimeout(() => this.force(), 3_000).unref();
      },
    });
    return this.prompt;
  }

  get ask(): Ask | undefined {
    return this.attended ? this.openPrompt().ask : undefined;
  }

  /** What the person is to know while there is no front end yet. */
  tell({ code, text }: { code?: ErrorCode; text: string }): void {
    const { columns = Infinity } = this.openPrompt();
    const line = `${code === undefined ? '' : `${code}: `}${clean(text)}`;
    this.openPrompt().print(wrapLines(line, columns));
  }

  async stop(reason: string): Promise<void> {
    // The screen first, and always.
    this.prompt?.close();
    await this.app?.stop(reason);
    await this.log?.close();
  }
}

/** At a terminal one can talk without further ado; a program says what it wants. */
function devicesOf({ options, attended }: Run): DeviceNames {
  const usual = attended ? 'default' : undefined;
  return {
    camera: options.camera,
    microphone: options.mic ?? usual,
    speaker: options.speaker ?? usual,
    screen: options.screen,
  };
}

async function createApp(run: Run): Promise<ClchatApp> {
  const { options } = run;
  run.log = await openLog(options.log, run.attended);
  // Loaded here, so that help and the like need not wait for the network's libraries.
  const { ClchatApp: App } = await import('../lib/app.ts');
  run.app = new App({
    data: options.data,
    passphrase: process.env['CLCHAT_PASSPHRASE'],
    blockDuration: options.blockDuration,
    timeout: options.timeout ?? 0,
    inviteOnly: options.inviteOnly,
    smtpUrl: options.mode === 'client' ? undefined : smtpUrlOf(options, process.env),
    turnUrl: options.mode === 'client' ? undefined : turnUrlOf(options, process.env),
    callPorts: options.callPorts,
    isQuiet: options.execute !== undefined,
    devices: devicesOf(run),
    pictureSize: options.videoSize,
    log: run.log,
  });
  return run.app;
}

/** What says at the start that one is not let in. */
const SHUT_OUT: readonly ErrorCode[] = ['NO_SUCH_USER', 'DENIED', 'BANNED'];

async function serve(run: Run, app: ClchatApp): Promise<Ending> {
  const { options, interrupt } = run;
  const { directory } = app;
  const settings = new Settings(
    directory === undefined ? undefined : join(directory, 'settings.json'),
  );
  settings.follow((name, value) => {
    if (name === 'receipts') app.tellReading(value);
  });
  // What was chosen before holds where nothing else is said now.
  const { camera, mic, speaker, screen } = settings.devices;
  app.preferDevices({
    camera: options.camera ?? camera,
    microphone: options.mic ?? mic,
    speaker: options.speaker ?? speaker,
    screen: options.screen ?? screen,
  });
  if (options.execute !== undefined) {
    const outcome = await runOnce(options.execute, app, settings);
    return { reason: 'end', status: await print(run, outcome) };
  }
  const control =
    directory === undefined
      ? undefined
      : await serveControl({
          path: controlPath(directory, process.env),
          app,
          settings,
          onQuit: () => {
            run.status = EXIT.fine;
            const settled = app.settle().catch(() => undefined);
            void settled.then(() => interrupt.abort());
          },
        });
  try {
    const { headless } = options;
    const { signal } = interrupt;
    if (options.json)
      return await runJsonMode({
        app,
        input: process.stdin,
        output: process.stdout,
        settings,
        headless,
        signal,
      });
    const prompt = run.openPrompt();
    // Whoever names a size wants them all the same.
    if (prompt.terminal === undefined && options.videoSize === undefined) app.watchCall(NO_VIEW);
    return await runLineMode({
      app,
      prompt,
      settings,
      mode: options.mode === 'shell' ? 'command' : 'chat',
      unattended: !run.attended,
      headless,
      graphics: options.graphics,
      colours: !options.plain && wantsColours(process.env),
      clock: systemClock,
      signal,
    });
  } finally {
    await control?.close();
  }
}

function print(run: Run, outcome: Parameters<typeof printOutcome>[0]): Promise<number> {
  const streams = { output: process.stdout, errors: process.stderr };
  return printOutcome(outcome, run.options.json, streams);
}

/** `-e` by the running process of the profile, where there is one. @returns the exit status */
async function throughRunning(run: Run): Promise<number | undefined> {
  const { execute, data, user } = run.options;
  if (execute === undefined) return undefined;
  const { runningDirectories } = await import('../lib/app/places.ts');
  for (const directory of await runningDirectories({ data, user })) {
    const { signal } = run.interrupt;
    const outcome = await runThroughControl(controlPath(directory, process.env), execute, {
      signal,
    });
    if (outcome !== undefined) return print(run, outcome);
  }
  return undefined;
}

async function runProgram(run: Run): Promise<number> {
  const already = await throughRunning(run);
  if (already !== undefined) return already;
  const app = await createApp(run);
  const unsubscribe =
    run.options.json || run.attended
      ? app.subscribe((event) => {
          // Before it is ready only what says why it is not yet.
          if (run.options.json && event.event === 'locked') process.stdout.write(eventLine(event));
          else if (run.attended && event.event === 'notice') run.tell(event);
          else app.keep(event);
        })
      : undefined;
  const interrupted = new Promise<never>((_resolve, reject) => {
    run.interrupt.signal.addEventListener('abort', () => reject(new ClchatError('INTERRUPTED')), {
      once: true,
    });
  });
  interrupted.catch(() => undefined);
  await Promise.race([enter(run, app), interrupted]);
  unsubscribe?.();
  const ending = await serve(run, app);
  return ending.reason === 'interrupt' ? run.status : ending.status;
}

async function runWith(run: Run): Promise<number> {
  try {
    return await runProgram(run);
  } catch (error) {
    run.prompt?.close();
    if (run.options.json) process.stdout.write(errorLine(error));
    else {
      const outcome = failure(error);
      if (!outcome.ok) process.stderr.write(`${outcome.code}: ${outcome.text}\n`);
    }
    if (exitStatusOf(error) === EXIT.failed) run.log?.fault(error);
    if (run.interrupt.signal.aborted) return run.status;
    if (run.unanswered) return EXIT.failed;
    // Unlike later, when there is just nobody to write to.
    const isShutOut = SHUT_OUT.some((code) => hasCode(error, code));
    return isShutOut ? EXIT.authentication : exitStatusOf(error);
  } finally {
    await run.stop('end of the program');
  }
}

export async function main(argv: string[]): Promise<void> {
  let options: Options;
  try {
    options = await parseOptions(argv);
  } catch (error) {
    const outcome = failure(error);
    const isJson = argv.includes('--json');
    if (isJson) process.stdout.write(errorLine(error));
    else if (!outcome.ok) process.stderr.write(`${outcome.code}: ${outcome.text}\n`);
    process.exitCode = exitStatusOf(error);
    return;
  }
  switch (options.action) {
    case 'help':
      process.stdout.write(programHelp());
      return;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return;
    case 'manual':
      process.stdout.write(manualPage(VERSION));
      return;
    case 'completion':
      process.stdout.write(completionScript(options.shell ?? 'bash'));
      return;
    case 'run':
      process.exitCode = await runWith(new Run(options));
      // Whatever a library still holds open must not keep a program that has ended.
      process.exit();
      return;
    default:
      options.action satisfies never;
  }
}
