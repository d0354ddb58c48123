/** What a person says here: its line is there at once, and its mark follows what becomes of it. */
import type {
  App,
  AppEvent,
  CommandCall,
  MessageView,
  PlaceView,
  Progress,
  ResultData,
} from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';
import { formatMessage, formatRefusal, paintedMark, withMark } from './format-message.ts';
import { OwnMessages } from './own-messages.ts';
import type { Prompt } from './prompt-contract.ts';
import { failure, type Outcome } from './runner.ts';
import { figure, record, type Style } from './style.ts';
import { fit } from './width.ts';

/** A command on its way: what it does, and what is told of how it went. */
export interface Work {
  readonly run: () => Promise<Outcome>;
  readonly tell: (outcome: Outcome) => void;
}

export interface SpeechOptions {
  readonly app: App;
  readonly prompt: Prompt;
  readonly clock: Clock;
  readonly style: () => Style;
  readonly run: (call: CommandCall) => Promise<Outcome>;
  readonly tell: (outcome: Outcome) => void;
}

export class Speech {
  readonly #options: SpeechOptions;
  readonly #own: OwnMessages;

  constructor(options: SpeechOptions) {
    this.#options = options;
    this.#own = new OwnMessages((progress) => paintedMark(progress, options.style()));
  }

  /** A message of one's own. */
  speak(call: CommandCall): Work {
    // What an answer looks like is known once it is clear what it answers; what a file, once it is read.
    if (call.name === 'reply' || call.name === 'attach')
      return {
        run: () => this.#options.run(call),
        tell: (outcome) => {
          if (outcome.ok) this.#answered(outcome.data);
          else this.#options.tell(outcome);
        },
      };
    const { app, prompt, clock, style, tell } = this.#options;
    const { user = 'you', conversation } = app.status();
    const message: MessageView = {
      id: '',
      from: user,
      ...placeOf(call.args['user'], conversation),
      text: call.args['message'] ?? call.args['text'] ?? '',
      time: clock.now(),
      mine: true,
    };
    const text = formatMessage(message, style(), conversation);
    const run = (): Promise<Outcome> => this.#options.run(call);
    if (!prompt.inPlace)
      return {
        run,
        tell: (outcome) => {
          if (!outcome.ok) return tell(outcome);
          prompt.print(withMark(text, progressIn(outcome.data), style()));
        },
      };
    const line = prompt.printMarked(text, paintedMark({ state: 'sending' }, style()));
    const own = this.#own.sent(message, line);
    return {
      run,
      tell: (outcome) => {
        if (!outcome.ok) {
          // Without its line nobody would know which message it is that was refused.
          const isShown = line.isShown?.() ?? true;
          this.#own.rejected(own);
          if (isShown) tell(outcome);
          else prompt.print(formatRefusal(message.text, outcome, style()));
          return;
        }
        const { id } = outcome.data;
        if (typeof id === 'string') this.#own.accepted(own, id, progressIn(outcome.data));
      },
    };
  }

  /** Shows an answer or a file that the App has taken. */
  #answered(data: ResultData): void {
    const { app, prompt, clock, style } = this.#options;
    const { user = 'you', conversation } = app.status();
    const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
    const { id, to, room, text, time } = data;
    const { from, text: quote } = record(data['reply']);
    const { name, size, ...facts } = record(data['file']);
    const message: MessageView = {
      id: textOf(id),
      from: user,
      ...(to === undefined ? { room: textOf(room) } : { to: textOf(to) }),
      text: textOf(text),
      time: typeof time === 'number' ? time : clock.now(),
      mine: true,
      ...(data['reply'] === undefined
        ? {}
        : {
            reply: {
              id: '',
              ...(typeof from === 'string' ? { from } : {}),
              ...(typeof quote === 'string' ? { text: quote } : {}),
            },
          }),
      ...(data['file'] === undefined
        ? {}
        : { file: { ...facts, name: textOf(name), size: figure(size), here: true } }),
    };
    const line = formatMessage(message, style(), conversation);
    const progress = progressIn(data);
    if (!prompt.inPlace) return prompt.print(withMark(line, progress, style()));
    const marked = prompt.printMarked(line, paintedMark(progress, style()));
    this.#own.accepted(this.#own.sent(message, marked), message.id, progress);
  }

  /** A message has appeared, of whomever. */
  onMessage(message: MessageView): void {
    const { app, prompt, style } = this.#options;
    if (message.mine && this.#own.appeared(message)) return;
    const text = formatMessage(message, style(), app.status().conversation);
    if (message.mine && message.progress !== undefined && prompt.inPlace)
      this.#own.follow(message, prompt.printMarked(text, paintedMark(message.progress, style())));
    else prompt.print(text);
  }

  onReceipt({ id, held, on, of, read = 0 }: Extract<AppEvent, { event: 'receipt' }>): void {
    this.#own.progressed(id, { state: held ? 'held' : 'sending', on, of, read });
  }

  /** @returns whether what was refused was written or shown here */
  onRefused({ id, code, text }: Extract<AppEvent, { event: 'refused' }>): boolean {
    const said = this.#own.progressed(id, { state: 'refused', code });
    if (said === undefined) return false;
    this.#options.tell(failure(new ClchatError(code, `${text} (${fit(said, 40)})`)));
    return true;
  }
}

/** Where something is said: to somebody who is named, or in the current conversation, if there is one. */
function placeOf(user: string | undefined, conversation: string | undefined): PlaceView {
  if (user !== undefined) return { to: user };
  if (conversation === undefined) return {};
  const name = conversation.slice(1);
  return conversation.startsWith('@') ? { to: name } : { room: name };
}

/** How far a message has got as its command comes back. */
function progressIn({ state }: ResultData): Progress {
  return { state: state === 'held' ? 'held' : 'sending' };
}
