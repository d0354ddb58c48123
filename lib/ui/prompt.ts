/**
 * The prompt of a terminal. What is being typed survives whatever is printed meanwhile, since
 * printing takes the line off, prints above it and draws it again.
 */
import type { Readable, Writable } from 'node:stream';
import type { Ask } from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import { askOver } from './ask.ts';
import { commonPrefix, type Completion } from './complete.ts';
import type { InputHistory } from './history-file.ts';
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
import { inColumns, reflows, Screen, sizeOf } from './screen.ts';
import { KeyDecoder, type Key } from './terminal-keys.ts';
import { TypedLines } from './typed-lines.ts';

export type TerminalInput = Readable & { setRawMode?: (raw: boolean) => unknown };
export type TerminalOutput = Writable & { columns?: number; rows?: number };

/** A printed line whose mark may change. */
export interface MarkedLine {
  /** Shows another mark, if the line is still on the screen. */
  update(mark: string): void;
}

export interface PromptHandlers {
  /**
   * A line was typed; with `inPlace` it is off the screen, and whoever takes it prints what is to
   * stay of it. No more lines are handed over until the promise has resolved, but what is typed
   * meanwhile answers questions.
   */
  onLine(line: string): void | Promise<void>;
  /** Ctrl-C on an empty line, Ctrl-D or the end of the input, or Ctrl-C once more. */
  onStop(reason: 'interrupt' | 'end' | 'force'): void;
  /** A key was pressed. */
  onActivity?(): void;
  complete?(before: string): Completion;
}

/** What the front ends for people need of a terminal, with or without cursor movement. */
export interface Prompt {
  readonly ask: Ask;
  /** Whether marks change in place, and typed lines are taken off the screen when entered. */
  readonly inPlace: boolean;
  /** Begins to hand over lines; until then only questions are answered. */
  attach(handlers: PromptHandlers): void;
  /** Keeps a line to be called back. The caller has made sure that there is no secret in it. */
  remember(line: string): void;
  /** Prints one or more lines, which are clean text and our own colours. */
  print(text: string): void;
  printMarked(text: string, mark: string): MarkedLine;
  setPrompt(text: string, sgr?: string): void;
  bell(): void;
  clear(): void;
  /** Ends the question being asked, if any, as if the person had broken it off. */
  breakOff(): void;
  /** Restores the terminal. May be called any number of times. */
  close(): void;
}

export interface PromptOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly history: InputHistory;
  /** Decides on how the terminal behaves. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes the person's wish to stop as long as nothing is attached. */
  onStop(reason: 'interrupt' | 'end' | 'force'): void;
}

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
  readonly #options: PromptOptions;
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
  #escapeTimer: NodeJS.Timeout | undefined;
  #cursorTimer: NodeJS.Timeout | undefined;
  /** Bytes to be written once the terminal has said where its cursor is. */
  #held: (() => string)[] | undefined;

  constructor(options: PromptOptions) {
    this.#options = options;
    this.#screen = new Screen(sizeOf(options.output), reflows(options.environment));
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
    this.#perform(() => this.#screen.print(text));
  }

  printMarked(text: string, mark: string): MarkedLine {
    // The update is known only once the line is printed, which may have to wait for the terminal.
    let update: ((mark: string) => string) | undefined;
    this.#perform(() => {
      const printed = this.#screen.printMarked(text, mark);
      update = printed.update;
      return printed.bytes;
    });
    return { update: (next) => this.#perform(() => update?.(next) ?? '') };
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
    this.#perform(() => this.#screen.clear());
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
  }

  /** Gives the terminal back as it was. */
  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#options.output.write(this.#screen.erase() + BRACKETED_PASTE_OFF);
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
    this.#question?.asked.reject(new ClchatError('CLOSED', 'The input has ended.'));
    this.#question = undefined;
    this.#stop('end');
  };

  readonly #onResize = (): void => {
    const size = sizeOf(this.#options.output);
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
  };

  /** Ends the wait for the terminal's answer, with or without one. */
  #settleSize(cursor?: number): void {
    const held = this.#held;
    if (held === undefined) return;
    clearTimeout(this.#cursorTimer);
    this.#held = undefined;
    this.#screen.resize(sizeOf(this.#options.output), cursor);
    for (const bytes of held) this.#perform(bytes);
    this.#perform(() => '');
  }

  #keys(keys: readonly Key[]): void {
    if (keys.length > 0) this.#handlers?.onActivity?.();
    for (const key of keys) {
      if (this.#closed) return;
      if (key.type === 'cursor') this.#settleSize(key.column);
      else this.#key(key);
    }
    if (keys.length > 0) this.#perform(() => '');
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
        return this.#suspend();
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

  #stop(reason: 'interrupt' | 'end' | 'force'): void {
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
  #suspend(): void {
    this.#settleSize();
    this.#leave();
    const resume = (): void => {
      if (!this.#closed && !this.#open) this.#enter();
    };
    process.once('SIGCONT', resume);
    // Without a shell that could bring us back the system does not stop us at all.
    setTimeout(resume, RESUME_MS);
    process.kill(process.pid, 'SIGTSTP');
  }
}
