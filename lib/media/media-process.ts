/**
 * The helper process for calls, as the program sees it. Whatever befalls it there, the program goes
 * on: it is told that the process is gone, and may start another one.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { childEntry, type ChildEntry } from '../child-entry.ts';
import { ClchatError, isErrorCode } from '../errors.ts';
import type {
  CallName,
  EngineCalls,
  EngineEvent,
  FromEngine,
  Order,
  ToEngine,
} from './engine/messages.ts';

export interface MediaProcessOptions {
  readonly onEvent: (event: EngineEvent) => void;
  /** It has ended without having been stopped. */
  readonly onGone: () => void;
  /** A line that it has written about what went wrong in it, or why it was killed. */
  readonly onNote: (line: string) => void;
  /** Times, for tests; in milliseconds. */
  readonly startMs?: number;
  readonly callMs?: number;
  /** Another program in its place, for tests. */
  readonly entry?: ChildEntry;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** How long it may take to begin, to answer, and to end, in milliseconds. */
const START_MS = 10_000;
const CALL_MS = 10_000;
const STOP_MS = 3_000;
/** In how many parts it is waited for one that seems to hang. */
const LOOKS = 10;
/** What is kept of one line that it writes, and how many lines are passed on. */
const MAX_LINE = 500;
const MAX_LINES = 200;
/** Of what it has written, as the cause where it does not begin. */
const MAX_CAUSE = 20;

export class MediaProcess {
  readonly #options: MediaProcessOptions;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #notes = 0;
  #isUp = false;
  #isStopped = false;
  #isGone = false;
  /** It has not answered a call in time, and has said nothing since that was made. */
  #isSilent = false;
  /** How often it has spoken. */
  #heard = 0;
  /** While it is waited for the second call in a row. */
  #watching: NodeJS.Timeout | undefined;

  private constructor(options: MediaProcessOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#gone();
        resolve();
      });
    });
    child.on('error', () => this.#gone());
    child.on('message', (message: FromEngine) => this.#take(message));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
  }

  /** @throws NO_MEDIA where this system has no part for WebRTC, or it does not start */
  static async start(options: MediaProcessOptions): Promise<MediaProcess> {
    const { path, execArgv } = options.entry ?? childEntry('media/engine/engine-child');
    const child = fork(path, [], {
      execArgv,
      // Pictures go over it as they are.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const said: string[] = [];
    const onNote = (line: string): void => {
      if (said.length < MAX_CAUSE) said.push(line);
      options.onNote(line);
    };
    const media = new MediaProcess({ ...options, onNote }, child);
    const { startMs = START_MS } = options;
    media.#isUp = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), startMs);
      const done = (isUp: boolean): void => {
        clearTimeout(timer);
        resolve(isUp);
      };
      child.once('message', () => done(true));
      // Once all that it has written is here.
      child.once('close', () => done(false));
      child.once('error', () => done(false));
    });
    if (media.#isUp) return media;
    media.#isStopped = true;
    child.kill('SIGKILL');
    throw new ClchatError('NO_MEDIA', undefined, { cause: new Error(said.join('\n')) });
  }

  /** Of the process. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * A process that says nothing at all while two calls after one another wait for it is killed: it is
   * gone then.
   * @throws as the call does; TIMEOUT; CLOSED when the process is gone
   */
  call<C extends CallName>(
    name: C,
    args: EngineCalls[C]['args'],
  ): Promise<EngineCalls[C]['result']> {
    if (this.#isGone || this.#isStopped) return Promise.reject(new ClchatError('CLOSED'));
    const id = ++this.#lastId;
    const heard = this.#heard;
    const { callMs = CALL_MS } = this.#options;
    if (this.#isSilent) this.#watch(callMs);
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        if (this.#heard === heard) this.#isSilent = true;
        reject(new ClchatError('TIMEOUT'));
      }, callMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#send({ call: name, id, args });
    }) as Promise<EngineCalls[C]['result']>;
  }

  /**
   * Gives it the time of one more call. In parts: while the machine sleeps all timers become due, of
   * which only one part is counted then, and what it answers after that is taken before the next.
   */
  #watch(callMs: number): void {
    let looks = 0;
    this.#watching ??= setInterval(() => {
      if (++looks < LOOKS) return;
      this.#calm();
      this.#options.onNote('It does not answer any more, and is killed.');
      this.#child.kill('SIGKILL');
    }, callMs / LOOKS);
  }

  /** It lives, or there is nothing more to wait for. */
  #calm(): void {
    this.#isSilent = false;
    clearInterval(this.#watching);
    this.#watching = undefined;
  }

  order(order: Order): void {
    if (!this.#isGone && !this.#isStopped) this.#send(order);
  }

  #send(message: ToEngine): void {
    // One that is just ending: its end is told by its exit.
    this.#child.send(message, () => undefined);
  }

  #take(message: FromEngine): void {
    this.#heard += 1;
    this.#calm();
    if (this.#isStopped || 'ready' in message) return;
    if ('event' in message) return this.#options.onEvent(message);
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if ('result' in message) return pending.resolve(message.result);
    const code = isErrorCode(message.code) ? message.code : 'INTERNAL';
    pending.reject(new ClchatError(code, message.text === '' ? undefined : message.text));
  }

  #note(text: string): void {
    for (const line of text.split('\n'))
      if (line.trim() !== '' && this.#notes++ < MAX_LINES)
        this.#options.onNote(line.slice(0, MAX_LINE));
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#calm();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new ClchatError('CLOSED'));
    }
    this.#pending.clear();
    if (this.#isUp && !this.#isStopped) this.#options.onGone();
  }

  /** Has it give back its devices and end. */
  async stop(): Promise<void> {
    if (this.#isGone) return;
    this.#isStopped = true;
    this.#calm();
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
