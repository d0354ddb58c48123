/**
 * The prompt without cursor movement: it prints lines and reads lines. For screen readers, dumb
 * terminals, logs and pipes.
 */
import type { Ask } from '../app/types.ts';
import { ClchatError, type ErrorCode } from '../errors.ts';
import { askOver, endedAt } from './ask.ts';
import { editorOf, edit, textOfLine } from './line-editor.ts';
import { BoundedOutput } from './output.ts';
import { MAX_LINE_BYTES, readLines, type Line, type LineReader } from './lines.ts';
import type {
  MarkedLine,
  Prompt,
  PromptHandlers,
  PromptOptions,
  TerminalInput,
  TerminalOutput,
} from './prompt.ts';
import { KeyDecoder } from './terminal-keys.ts';
import { SGR } from './width.ts';

interface PlainOptions extends Pick<PromptOptions, 'onStop'> {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
}

export class PlainPrompt implements Prompt {
  readonly inPlace = false;
  readonly ask: Ask;
  readonly #options: PlainOptions;
  readonly #output: BoundedOutput;
  #handlers: PromptHandlers | undefined;
  /** Lines handed over that are not done with yet. */
  #busy = 0;
  #reader: LineReader | undefined;
  #question:
    | { label: string; resolve: (answer: string) => void; reject: (error: Error) => void }
    | undefined;
  #ended = false;
  #closed = false;
  #stopSecret: ((code: ErrorCode) => void) | undefined;

  constructor(options: PlainOptions) {
    this.#options = options;
    this.ask = askOver({
      read: (question, hidden) => this.#read(question.trimEnd(), hidden),
      print: (text) => this.print(text),
    });
    this.#output = new BoundedOutput(options.output, {
      onGone: () => this.#onEnd(),
      onLeftOut: (count) => `${count} lines were left out because they were not read in time.\n`,
    });
    this.#listen();
  }

  attach(handlers: PromptHandlers): void {
    this.#handlers = handlers;
    this.#flow();
  }

  remember(): void {
    // Without cursor movement there is nothing to call lines back with.
  }

  print(text: string): void {
    if (!this.#closed) this.#output.offer(`${text.replace(SGR, '')}\n`);
  }

  printMarked(text: string, mark: string): MarkedLine {
    this.print(`${text} (${mark})`);
    return { update: () => undefined };
  }

  setPrompt(): void {
    // A prompt on a line of its own would only be read out before each line.
  }

  bell(): void {
    // Neither a log nor a screen reader is to make sounds of its own.
  }

  clear(): void {
    // What was printed stays.
  }

  breakOff(): void {
    this.#stopSecret?.('INTERRUPTED');
    this.#question?.reject(new ClchatError('INTERRUPTED'));
    this.#question = undefined;
    this.#flow();
  }

  close(): void {
    if (this.#closed) return;
    this.#stopSecret?.('CLOSED');
    this.#closed = true;
    this.#reader?.stop();
    this.#question?.reject(new ClchatError('CLOSED', 'The program is ending.'));
    this.#question = undefined;
  }

  #listen(): void {
    this.#reader = readLines(this.#options.input, {
      onLine: (line) => this.#onLine(line),
      onEnd: this.#onEnd,
    });
    this.#flow();
  }

  /** Lines are read only while somebody wants one. */
  #flow(): void {
    const wanted =
      this.#question !== undefined || (this.#handlers !== undefined && this.#busy === 0);
    if (wanted) this.#reader?.resume();
    else this.#reader?.pause();
  }

  #onLine(line: Line): void {
    this.#handlers?.onActivity?.();
    if (line === undefined) {
      this.print(`TOO_LARGE: A line may have up to ${MAX_LINE_BYTES} bytes.`);
      return;
    }
    const question = this.#question;
    if (question !== undefined) {
      this.#question = undefined;
      question.resolve(line);
      this.#flow();
      return;
    }
    const taken = this.#handlers?.onLine(line);
    if (taken === undefined) return;
    this.#busy += 1;
    this.#flow();
    const done = (): void => {
      this.#busy -= 1;
      this.#flow();
    };
    void taken.then(done, done);
  }

  readonly #onEnd = (): void => {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    const question = this.#question;
    this.#question = undefined;
    question?.reject(endedAt(question.label));
    (this.#handlers ?? this.#options).onStop(question === undefined ? 'end' : 'unanswered');
  };

  #read(question: string, hidden: boolean): Promise<string> {
    if (this.#closed || this.#ended) return Promise.reject(endedAt(question));
    this.print(question);
    if (hidden && this.#options.input.setRawMode !== undefined) return this.#readSecret(question);
    return new Promise((resolve, reject) => {
      this.#question = { label: question, resolve, reject };
      this.#flow();
    });
  }

  /** A terminal echoes what is typed unless it is told not to, and then hands over single keys. */
  #readSecret(question: string): Promise<string> {
    const { input } = this.#options;
    this.#reader?.stop();
    return new Promise((resolve, reject) => {
      const decoder = new KeyDecoder();
      let line = editorOf();
      const finish = (): void => {
        this.#stopSecret = undefined;
        input.off('data', onData).off('end', onEnd).off('close', onEnd);
        input.setRawMode?.(false);
        if (!this.#closed) this.#listen();
      };
      const onEnd = (): void => {
        this.#ended = true;
        finish();
        reject(endedAt(question));
        (this.#handlers ?? this.#options).onStop('unanswered');
      };
      const onData = (chunk: Buffer): void => {
        for (const key of [...decoder.push(chunk), ...decoder.flush()]) {
          const step = edit(line, key, { history: [], hidden: true });
          const { effect } = step;
          if (effect.type === 'submit') {
            finish();
            return resolve(effect.line);
          }
          if (effect.type === 'interrupt' || (effect.type === 'end' && textOfLine(line) === '')) {
            finish();
            return reject(new ClchatError('INTERRUPTED'));
          }
          line = step.state;
        }
      };
      this.#stopSecret = (code) => {
        finish();
        reject(new ClchatError(code));
      };
      input.setRawMode?.(true);
      input.on('data', onData).on('end', onEnd).on('close', onEnd);
      input.resume();
    });
  }
}
