/**
 * The prompt of a terminal. What is being typed survives whatever is printed meanwhile, since
 * printing takes the line off, prints above it and draws it again.
 */
import type { Ask } from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import { askOver, endedAt } from './ask.ts';
import { commonPrefix } from './complete.ts';
import {
  cellAt,
  edit,
  editorOf,
  replace,
  searchLabel,
  textBefore,
  textOfLine,
  type EditorState,
  type Effect,
} from './line-editor.ts';
import { Region } from './region.ts';
import { inColumns, reflows, Screen, sizeOf, type Size } from './screen.ts';
import { KeyDecoder, type Key } from './terminal-keys.ts';
import { TypedLines } from './typed-lines.ts';
import type {
  MarkedLine,
  Prompt,
  PromptHandlers,
  PromptOptions,
  StopReason,
  Terminal,
  TerminalFollower,
} from './prompt-contract.ts';

export type * from './prompt-contract.ts';

interface Question {
  readonly label: string;
  readonly hidden: boolean;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

/** How long an Escape may be the beginning of something longer, in milliseconds. */
const ESCAPE_MS = 40;
/** How long the terminal may take to say where its cursor is, in milliseconds. */
const CURSOR_MS = 150;
/** After how long it is clear that a wish to be suspended was not heard, in milliseconds. */
const RESUME_MS = 100;
const MAX_LISTED = 60;
const BRACKETED_PASTE_ON = '\u001b[?2004h';
const BRACKETED_PASTE_OFF = '\u001b[?2004l';
const ASK_CURSOR = '\u001b[6n';

export class TerminalPrompt implements Prompt {
  readonly inPlace = true;
  readonly ask: Ask;
  readonly terminal: Terminal;
  readonly #options: PromptOptions;
  readonly #region = new Region();
  #follower: TerminalFollower | undefined;
  readonly #screen: Screen;
  readonly #decoder = new KeyDecoder();
  #handlers: PromptHandlers | undefined;
  readonly #typed = new TypedLines();
  #hasAsked = false;
  #line: EditorState = editorOf();
  #label = '';
  #sgr = '';
  /** The question being answered, and its own line. */
  #question: { asked: Question; line: EditorState } | undefined;
  #stops = 0;
  #open = false;
  #closed = false;
  #isSuspending = false;
  #escapeTimer: NodeJS.Timeout | undefined;
  #cursorTimer: NodeJS.Timeout | undefined;
  /** Bytes to be written once the terminal has said where its cursor is. */
  #held: (() => string)[] | undefined;

  constructor(options: PromptOptions) {
    this.#options = options;
    this.#screen = new Screen(sizeOf(options.output), reflows(options.environment));
    this.terminal = this.#terminal();
    this.ask = askOver({
      read: (label, hidden) => this.#read(label, hidden),
      print: (text) => this.print(text),
    });
    this.#enter();
    options.output.on('resize', this.#onResize);
    options.input.on('data', this.#onData);
    options.input.on('end', this.#onEnd);
    options.input.on('close', this.#onEnd);
    options.input.on('error', this.#onEnd);
    options.output.on('error', this.#onEnd);
  }

  get columns(): number {
    return this.#screen.columns;
  }

  #terminal(): Terminal {
    const { output, environment } = this.#options;
    return {
      output,
      environment,
      get size() {
        return sizeOf(output);
      },
      lend: (rows) => this.#lend(rows),
      follow: (follower) => (this.#follower = follower),
    };
  }

  #lend(rows: number): number {
    const size = sizeOf(this.#options.output);
    const lent = this.#region.most(rows, size);
    if (lent !== this.#region.lent && this.#open) {
      const bytes = this.#region.lend(lent, size);
      this.#layOut(bytes, size);
    }
    return this.#region.lent;
  }

  /** The screen is as after `bytes`, with the typed line below. */
  #layOut(bytes: string, size: Size): void {
    this.#settleSize();
    this.#screen.clear();
    this.#screen.resize(this.#region.left(size));
    this.#perform(() => bytes);
  }

  attach(handlers: PromptHandlers): void {
    this.#handlers = handlers;
    if (this.#hasAsked) {
      // More than was asked for: perhaps a password, so the person sees it before anybody else does.
      const ahead = [...this.#typed.clear(), textOfLine(this.#line)];
      this.#line = editorOf(ahead.join('\n').trim());
      this.#perform(() => '');
    }
    this.#typed.attach((line) => handlers.onLine(line));
  }

  remember(line: string): void {
    this.#options.history.add(line);
  }

  print(text: string): void {
    this.#region.note(text);
    this.#perform(() => this.#screen.print(text));
  }

  printMarked(text: string, mark: string): MarkedLine {
    this.#region.note(text);
    // The update is known only once the line is printed, which may have to wait for the terminal.
    let printed: ReturnType<Screen['printMarked']> | undefined;
    this.#perform(() => {
      printed = this.#screen.printMarked(text, mark);
      return printed.bytes;
    });
    return {
      update: (next) => this.#perform(() => printed?.update(next) ?? ''),
      isShown: () => printed?.isShown() ?? true,
    };
  }

  setPrompt(text: string, sgr = ''): void {
    if (text === this.#label && sgr === this.#sgr) return;
    this.#label = text;
    this.#sgr = sgr;
    this.#perform(() => '');
  }

  bell(): void {
    if (this.#open) this.#options.output.write('\u0007');
  }

  clear(): void {
    this.#perform(() => {
      this.#screen.clear();
      return this.#region.clear();
    });
  }

  breakOff(): void {
    const asked = this.#question?.asked;
    if (asked === undefined) return;
    this.#question = undefined;
    this.print(asked.label);
    asked.reject(new ClchatError('INTERRUPTED'));
  }

  close(): void {
    if (this.#closed) return;
    this.#settleSize();
    this.#leave();
    this.#closed = true;
    clearTimeout(this.#escapeTimer);
    const { input, output } = this.#options;
    output.off('resize', this.#onResize);
    input.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd);
    input.pause();
    this.#question?.asked.reject(new ClchatError('CLOSED', 'The program is ending.'));
    this.#question = undefined;
  }

  /** Takes the terminal over. */
  #enter(): void {
    this.#open = true;
    this.#options.input.setRawMode?.(true);
    this.#options.input.resume();
    this.#options.output.write(BRACKETED_PASTE_ON);
    this.#perform(() => '');
    this.#follower?.onResume();
  }

  /** Gives the terminal back as it was. */
  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    const { output } = this.#options;
    output.write(this.#screen.erase() + this.#region.leave(sizeOf(output)) + BRACKETED_PASTE_OFF);
    this.#options.input.setRawMode?.(false);
  }

  /** Writes what `bytes` gives and draws the typed line again, in one piece. */
  #perform(bytes: () => string): void {
    if (this.#closed || !this.#open) return;
    if (this.#held !== undefined) {
      this.#held.push(bytes);
      return;
    }
    this.#options.output.write(bytes() + this.#drawing());
  }

  #drawing(): string {
    const { asked, line } = this.#question ?? { asked: undefined, line: this.#line };
    const hidden = asked?.hidden === true;
    return this.#screen.draw({
      prompt: asked?.label ?? searchLabel(line) ?? this.#label,
      sgr: asked === undefined ? this.#sgr : '',
      // Not even the length of a secret is shown.
      cells: hidden ? [] : line.cells,
      cursor: hidden ? 0 : line.cursor,
    });
  }

  #read(label: string, hidden: boolean): Promise<string> {
    if (this.#closed) return Promise.reject(new ClchatError('CLOSED'));
    this.#hasAsked = true;
    const ahead = this.#typed.shift();
    if (ahead !== undefined) {
      this.print(label + (hidden ? '' : ahead));
      return Promise.resolve(ahead);
    }
    return new Promise((resolve, reject) => {
      this.#question = { asked: { label, hidden, resolve, reject }, line: editorOf() };
      this.#perform(() => '');
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#keys(this.#decoder.push(chunk));
    clearTimeout(this.#escapeTimer);
    if (this.#decoder.ambiguous)
      this.#escapeTimer = setTimeout(() => this.#keys(this.#decoder.flush()), ESCAPE_MS);
  };

  readonly #onEnd = (): void => {
    if (this.#closed) return;
    const { asked } = this.#question ?? {};
    this.#question = undefined;
    asked?.reject(endedAt(asked.label));
    this.#stop(asked === undefined ? 'end' : 'unanswered');
  };

  readonly #onResize = (): void => {
    const size = sizeOf(this.#options.output);
    if (this.#region.lent > 0) {
      const bytes = this.#region.resize(size);
      this.#layOut(bytes, size);
    } else this.#resize(size);
    this.#follower?.onResize();
  };

  #resize(size: Size): void {
    if (this.#held !== undefined) return;
    if (!this.#screen.isUnclear(size.columns)) {
      this.#screen.resize(size);
      this.#perform(() => '');
      return;
    }
    // Only the terminal knows what it did to the row with the cursor.
    this.#held = [];
    this.#options.output.write(ASK_CURSOR);
    this.#cursorTimer = setTimeout(() => this.#settleSize(), CURSOR_MS);
  }

  /** Ends the wait for the terminal's answer, with or without one. */
  #settleSize(cursor?: number): void {
    const held = this.#held;
    if (held === undefined) return;
    clearTimeout(this.#cursorTimer);
    this.#held = undefined;
    this.#screen.resize(this.#region.left(sizeOf(this.#options.output)), cursor);
    for (const bytes of held) this.#perform(bytes);
    this.#perform(() => '');
  }

  #keys(keys: readonly Key[]): void {
    const typed = keys.filter(({ type }) => type !== 'report');
    if (typed.length > 0) this.#handlers?.onActivity?.();
    const { cells } = this.#line;
    for (const key of keys) {
      if (this.#closed) return;
      if (key.type === 'cursor') this.#settleSize(key.column);
      else if (key.type === 'report') this.#follower?.onReport(key.text);
      else this.#key(key);
    }
    if (this.#line.cells !== cells) this.#handlers?.onEdit?.(textOfLine(this.#line));
    if (typed.length > 0) this.#perform(() => '');
  }

  #key(key: Key): void {
    const question = this.#question;
    if (question === undefined) {
      const step = edit(this.#line, key, { history: this.#options.history.entries });
      this.#line = step.state;
      this.#effect(step.effect);
      return;
    }
    const { hidden } = question.asked;
    const step = edit(question.line, key, { history: [], hidden });
    question.line = step.state;
    if (step.effect.type === 'submit') this.#answer(question.asked, step.effect.line);
    else if (
      step.effect.type === 'end' ||
      (step.effect.type === 'interrupt' && (hidden || step.effect.empty))
    )
      this.breakOff();
    else if (step.effect.type === 'clear' || step.effect.type === 'suspend')
      this.#effect(step.effect);
    else if (step.effect.type === 'bell' || step.effect.type === 'complete') this.bell();
  }

  #answer(asked: Question, answer: string): void {
    this.#question = undefined;
    this.print(asked.label + (asked.hidden ? '' : answer));
    asked.resolve(answer);
  }

  #effect(effect: Effect): void {
    if (effect.type !== 'interrupt') this.#stops = 0;
    switch (effect.type) {
      case 'none':
        return;
      case 'bell':
        return this.bell();
      case 'submit':
        return this.#submit(effect.line);
      case 'complete':
        return this.#complete();
      case 'clear':
        return this.clear();
      case 'suspend':
        return void this.#suspend();
      case 'end':
        return this.#stop('end');
      case 'interrupt':
        if (!effect.empty) return;
        this.#stops += 1;
        return this.#stop(this.#stops > 1 ? 'force' : 'interrupt');
      default:
        return effect satisfies never;
    }
  }

  #submit(line: string): void {
    if (!this.#typed.push(line)) this.bell();
  }

  #stop(reason: StopReason): void {
    (this.#handlers ?? this.#options).onStop(reason);
  }

  #complete(): void {
    const before = textBefore(this.#line);
    const { start, candidates } = this.#handlers?.complete?.(before) ?? {
      start: 0,
      candidates: [],
    };
    const [only] = candidates;
    if (only === undefined) return this.bell();
    const typed = before.slice(start);
    const from = cellAt(this.#line.cells, start);
    const put = (text: string): void => {
      this.#line = replace(this.#line, from, this.#line.cursor, text);
    };
    if (candidates.length === 1) return put(only.text + (only.final ? ' ' : ''));
    const prefix = commonPrefix(candidates);
    if (prefix.length > typed.length) return put(prefix);
    const listed = candidates.slice(0, MAX_LISTED).map((candidate) => candidate.text);
    if (candidates.length > MAX_LISTED) listed.push(`and ${candidates.length - MAX_LISTED} more`);
    this.print(inColumns(listed, this.#screen.columns));
  }

  /** Ctrl-Z: the shell gets its terminal back until it calls us to the foreground again. */
  async #suspend(): Promise<void> {
    if (this.#isSuspending) return;
    this.#isSuspending = true;
    await this.#follower?.onSuspend();
    this.#isSuspending = false;
    if (this.#closed) return;
    this.#settleSize();
    this.#leave();
    const resume = (): void => {
      if (!this.#closed && !this.#open) this.#enter();
    };
    process.once('SIGCONT', resume);
    // Without a shell that could bring us back the system does not stop us at all.
    setTimeout(resume, RESUME_MS);
    // All of the job, as the terminal does it: npx would go on and keep the shell waiting for it.
    process.kill(0, 'SIGTSTP');
  }
}
