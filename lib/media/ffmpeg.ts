/**
 * ffmpeg as a child process: it reads cameras, screens and media files, plays and records. What it says
 * is bounded, and it does not outlive this process.
 */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ClchatError } from '../errors.ts';
import { within } from '../lifecycle.ts';
import { startOptions, type Host } from './devices/host.ts';
import { ffmpegIsMissing, noDevice, shown } from './devices/refusals.ts';

/** How long it has to end after it was told to, in milliseconds. */
const END_MS = 500;
/** Characters of its complaints that are kept. */
const MOST_COMPLAINTS = 4_096;

/** Children that run. Whatever way this process ends, but by SIGKILL, they end with it. */
const running = new Set<ChildProcess>();
let isWatched = false;

function watch(child: ChildProcess): void {
  running.add(child);
  if (isWatched) return;
  isWatched = true;
  process.once('exit', () => {
    for (const one of running) one.kill('SIGKILL');
  });
}

/** What comes before all other arguments. */
const ALWAYS = ['-hide_banner', '-nostdin', '-loglevel', 'error'] as const;

/** For inputs: that it takes what comes at once, instead of first looking at more of it. */
export const AT_ONCE = [
  '-fflags',
  'nobuffer',
  '-probesize',
  '32',
  '-analyzeduration',
  '0',
] as const;

/** @throws NO_DEVICE where the system has no room for another process, or takes no such arguments */
function start(host: Host, args: readonly string[]): ChildProcessWithoutNullStreams {
  const stdio = ['pipe', 'pipe', 'pipe'] as const;
  let child: Partial<ChildProcessWithoutNullStreams> & ChildProcess;
  try {
    child = spawn(host.ffmpeg, [...ALWAYS, ...args], { ...startOptions(host), stdio: [...stdio] });
  } catch (error) {
    throw noDevice('ffmpeg cannot be started.', error);
  }
  // Without file descriptors to spare there is a process that has neither begun nor any streams.
  if (child.stdin !== undefined) return child;
  child.on('error', () => undefined);
  throw noDevice('ffmpeg cannot be started: too many files are open.');
}

export class Ffmpeg {
  /** What it reads as `pipe:0`. Errors of it are those of a program that has ended. */
  readonly input: Writable;
  /** What it writes to `pipe:1`. */
  readonly output: Readable;
  /** Once it is gone. Never rejects. */
  readonly ended: Promise<void>;
  readonly #host: Host;
  readonly #child: ChildProcess;
  #complaints = '';
  #isMissing = false;
  #hasEnded = false;
  #closing: Promise<void> | undefined;

  /**
   * @param args one for each word: no shell reads them
   * @throws NO_DEVICE where it cannot even be tried; where it is missing, `failure` says so
   */
  constructor(host: Host, args: readonly string[]) {
    this.#host = host;
    const child = start(host, args);
    this.#child = child;
    watch(child);
    this.input = child.stdin;
    this.output = child.stdout;
    // Both end with the program, which is what tells.
    this.input.on('error', () => undefined);
    this.output.on('error', () => undefined);
    child.stderr.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      // The first complaint names the cause, so it stays; what never ends is read and left out.
      if (this.#complaints.length < MOST_COMPLAINTS)
        this.#complaints = (this.#complaints + text).slice(0, MOST_COMPLAINTS);
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        running.delete(child);
        resolve();
      };
      child.once('close', end);
      child.on('error', (error: NodeJS.ErrnoException) => {
        // A signal that could not be sent is no end.
        if (child.pid !== undefined) return;
        this.#isMissing = error.code === 'ENOENT' || error.code === 'EACCES';
        this.#complaints = `it cannot be started (${error.code ?? error.message})`;
        end();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it complained of first, fit to be shown; empty where it did not. */
  get complaint(): string {
    const line = this.#complaints.split('\n').find((one) => one.trim() !== '') ?? '';
    // Which of its parts says so, with an address in memory.
    return shown(line.trim().replace(/^\[[^\]]*\]\s*/, ''));
  }

  /** Whether anything that it complained of has such words. */
  complainsOf(words: RegExp): boolean {
    return words.test(this.#complaints);
  }

  /** Why it has ended: NO_DEVICE. @param what it was to do: `The camera "x" cannot be opened` */
  failure(what: string): ClchatError {
    if (this.#isMissing) return ffmpegIsMissing(this.#host.platform);
    const { complaint } = this;
    return noDevice(complaint === '' ? `${what}.` : `${what}: ${complaint}`);
  }

  /** Ends its input and waits until it is done with that, but not for ever. */
  async finish(milliseconds: number): Promise<void> {
    this.input.end();
    this.output.resume();
    await this.#endsWithin(milliseconds);
    await this.close();
  }

  /** Ends it. May be called any number of times. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // What waits for someone to take its output would not hear of anything else.
    this.output.destroy();
    this.input.destroy();
    if (this.#hasEnded) return;
    this.#child.kill('SIGTERM');
    // One that is ended while it begins may leave a pipe behind that nobody closes.
    this.#child.once('exit', () => this.#child.stderr?.destroy());
    if (await this.#endsWithin(END_MS)) return;
    this.#child.kill('SIGKILL');
    // A driver that hangs may hold even that off.
    await this.#endsWithin(END_MS);
  }

  #endsWithin(milliseconds: number): Promise<boolean> {
    return within(milliseconds, this.ended, 'the end of ffmpeg').then(
      () => true,
      () => false,
    );
  }
}
