/** What a person says here: its line is there at once, and its mark follows what becomes of it. */
import type { App, AppEvent, CommandCall, MessageView } from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';
import { formatMessage, formatRefusal, progressMark, withMark, type Style } from './format.ts';
import { OwnMessages } from './own-messages.ts';
import type { Prompt } from './prompt-contract.ts';
import { failure, type Outcome } from './runner.ts';
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
    this.#own = new OwnMessages((progress) => progressMark(progress, !options.prompt.inPlace));
  }

  /** A message of one's own. */
  speak(call: CommandCall): Work {
    const { app, prompt, clock, style, tell } = this.#options;
    const { user = 'you', conversation, room } = app.status();
    const current =
      room ?? (conversation?.startsWith('#') === true ? conversation.slice(1) : undefined);
    const to = call.args['user'];
    const message: MessageView = {
      id: '',
      from: user,
      ...(to !== undefined ? { to } : current === undefined ? {} : { room: current }),
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
          const state = outcome.data['state'] === 'held' ? 'held' : 'sending';
          prompt.print(withMark(text, { state }, style()));
        },
      };
    const line = prompt.printMarked(text, progressMark({ state: 'sending' }, false));
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
        const { id, state } = outcome.data;
        if (typeof id === 'string')
          this.#own.accepted(own, id, { state: state === 'held' ? 'held' : 'sending' });
      },
    };
  }

  /** A message has appeared, of whomever. */
  onMessage(message: MessageView): void {
    const { app, prompt, style } = this.#options;
    if (message.mine && this.#own.appeared(message)) return;
    const text = formatMessage(message, style(), app.status().conversation);
    if (message.mine && message.progress !== undefined && prompt.inPlace)
      this.#own.follow(message, prompt.printMarked(text, progressMark(message.progress, false)));
    else prompt.print(text);
  }

  onReceipt({ id, held, on, of }: Extract<AppEvent, { event: 'receipt' }>): void {
    this.#own.progressed(id, { state: held ? 'held' : 'sending', on, of });
  }

  /** @returns whether what was refused was written or shown here */
  onRefused({ id, code, text }: Extract<AppEvent, { event: 'refused' }>): boolean {
    const said = this.#own.progressed(id, { state: 'refused', code });
    if (said === undefined) return false;
    this.#options.tell(failure(new ClchatError(code, `${text} (${fit(said, 40)})`)));
    return true;
  }
}
