/** What the front ends for people need of a terminal, whatever it can do. */
import type { Readable, Writable } from 'node:stream';
import type { Ask } from '../app/types.ts';
import type { Completion } from './complete.ts';
import type { InputHistory } from './history-file.ts';

export type TerminalInput = Readable & { setRawMode?: (raw: boolean) => unknown };
export type TerminalOutput = Writable & { columns?: number; rows?: number };

/** A printed line whose mark may change. */
export interface MarkedLine {
  /** Shows another mark, if the line is still on the screen. */
  update(mark: string): void;
  /** Whether it is, where that can be known. */
  isShown?(): boolean;
}

export type StopReason = 'interrupt' | 'end' | 'force' | 'unanswered';

export interface PromptHandlers {
  /**
   * A line was typed; with `inPlace` it is off the screen, and whoever takes it prints what is to
   * stay of it. No more lines are handed over until the promise has resolved, but what is typed
   * meanwhile answers questions.
   */
  onLine(line: string): void | Promise<void>;
  /**
   * Ctrl-C on an empty line, Ctrl-D or the end of the input, or Ctrl-C once more; `unanswered` is an
   * end of the input in the midst of a question.
   */
  onStop(reason: StopReason): void;
  /** A key was pressed. */
  onActivity?(): void;
  /** The line being typed is another now; not that of an answer to a question. */
  onEdit?(line: string): void;
  complete?(before: string): Completion;
}

/** The terminal itself, for what draws pictures beside the prompt. */
export interface Terminal {
  readonly output: TerminalOutput;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** In cells. */
  readonly size: { readonly columns: number; readonly rows: number };
  /**
   * Lends rows at the top of the screen; 0: takes them back.
   * @returns how many there are
   */
  lend(rows: number): number;
  /** What the terminal answers to questions, that it is of another size, and that the shell has it. */
  follow(follower: TerminalFollower | undefined): void;
}

export interface TerminalFollower {
  onReport(text: string): void;
  /** What was lent has been cleared, and there may be fewer rows of it. */
  onResize(): void;
  /**
   * The shell is to have the terminal: all is to be taken off the screen, and the rows to be given back.
   * @returns when that is done and no answer of the terminal is under way, or soon anyway
   */
  onSuspend(): Promise<void>;
  /** The terminal is back. */
  onResume(): void;
}

/** What the front ends for people need of a terminal, with or without cursor movement. */
export interface Prompt {
  /** Absent where there is none that could be drawn on. */
  readonly terminal?: Terminal;
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
  /** How wide the screen is; absent where lines may have any length. */
  readonly columns?: number;
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
  onStop(reason: StopReason): void;
}
