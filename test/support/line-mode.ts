/** Line mode over an App in memory, and a prompt that keeps what it is told. */
import type { AppEvent, MessageView } from '../../lib/app/types.ts';
import { ClchatError } from '../../lib/errors.ts';
import { runLineMode, type LineModeOptions } from '../../lib/ui/line-mode.ts';
import type { Prompt, PromptHandlers } from '../../lib/ui/prompt.ts';
import type { Ending } from '../../lib/ui/runner.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { turns } from './channels.ts';
import { TestClock } from './community.ts';
import { FakeApp, type FakeOptions } from './fake-app.ts';

export class FakePrompt implements Prompt {
  readonly inPlace: boolean;
  /** Every line printed, with all the marks it has had. */
  readonly lines: string[] = [];
  readonly remembered: string[] = [];
  /** What else was asked of it, in order. */
  readonly done: string[] = [];
  prompt = '';
  bells = 0;
  handlers!: PromptHandlers;
  /** How questions that take a yes or a no are answered; broken off where there is no answer. */
  readonly answers: boolean[] = [];
  /** Gives one and the same secret, and those answers. */
  readonly ask: Prompt['ask'];

  constructor(inPlace: boolean) {
    this.inPlace = inPlace;
    const secret = async (question: string): Promise<string> => {
      this.lines.push(`${question}?`);
      return 'secret';
    };
    const confirm = async (question: string): Promise<boolean> => {
      this.lines.push(question);
      const answer = this.answers.shift();
      if (answer === undefined) throw new ClchatError('INTERRUPTED');
      return answer;
    };
    this.ask = { secret, confirm } as unknown as Prompt['ask'];
  }

  attach(handlers: PromptHandlers): void {
    this.handlers = handlers;
  }

  remember(line: string): void {
    this.remembered.push(line);
  }

  print(text: string): void {
    this.lines.push(...text.split('\n'));
  }

  printMarked(text: string, mark: string): { update(mark: string): void } {
    const at = this.lines.push(`${text} ${mark}`) - 1;
    return { update: (next) => (this.lines[at] += ` ${next}`) };
  }

  setPrompt(text: string): void {
    this.prompt = text;
  }

  bell(): void {
    this.bells += 1;
  }

  clear(): void {
    this.done.push('clear');
  }

  breakOff(): void {
    this.done.push('break off');
  }

  close(): void {
    this.done.push('close');
  }
}

export interface LineModeSetup extends FakeOptions {
  /** Whether marks change in place. */
  readonly inPlace?: boolean;
  /** Takes the place of the prompt that only keeps. */
  readonly prompt?: Prompt;
  readonly options?: Partial<LineModeOptions>;
}

/** Alice in the lobby, in chat mode, on 3 February 2026 at 04:05. */
export class LineModeBench {
  readonly app: FakeApp;
  readonly prompt: FakePrompt;
  readonly settings = new Settings();
  readonly clock = new TestClock();
  readonly stop = new AbortController();
  readonly ended: Promise<Ending>;

  constructor({ inPlace = true, prompt, options, ...fake }: LineModeSetup = {}) {
    this.app = new FakeApp({ user: 'alice', conversation: '#lobby', ...fake });
    this.prompt = new FakePrompt(inPlace);
    this.clock.wall = new Date(2026, 1, 3, 4, 5).getTime();
    this.ended = runLineMode({
      app: this.app,
      prompt: prompt ?? this.prompt,
      settings: this.settings,
      mode: 'chat',
      headless: false,
      colours: false,
      clock: this.clock,
      signal: this.stop.signal,
      ...options,
    });
  }

  get lines(): readonly string[] {
    return this.prompt.lines;
  }

  /** Forgets what was printed so far. */
  forget(): this {
    this.prompt.lines.length = 0;
    return this;
  }

  /** Types lines, each when the one before has been read, and waits for what becomes of them. */
  async type(...lines: string[]): Promise<void> {
    for (const line of lines) {
      await this.prompt.handlers.onLine(line);
      await turns();
    }
  }

  /** What an event prints. */
  told(event: AppEvent): string[] {
    const before = this.lines.length;
    this.app.emit(event);
    return this.lines.slice(before);
  }

  /** A message of Bob's in the lobby, or what is made of it. */
  message(fields: Partial<MessageView> = {}): AppEvent {
    return {
      event: 'message',
      id: 'b1',
      from: 'bob',
      ...(fields.to === undefined ? { room: 'lobby' } : {}),
      text: 'hello',
      time: this.clock.now(),
      mine: false,
      ...fields,
    };
  }

  async close(): Promise<void> {
    this.stop.abort();
    this.app.hold();
    await this.ended;
  }
}

/** To be called inside a `describe`: what is opened ends with each of its tests. */
export function lineModes(): { open: (setup?: LineModeSetup) => LineModeBench } {
  const benches: LineModeBench[] = [];
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.close();
  });
  return {
    open: (setup) => {
      const bench = new LineModeBench(setup);
      benches.push(bench);
      return bench;
    },
  };
}
