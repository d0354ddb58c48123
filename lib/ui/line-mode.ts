/**
 * The front end for people: chat mode and command mode over a prompt. In chat mode a line is said
 * to the current conversation and `/word` is a command; in command mode every line is a command.
 */
import type { App, AppEvent, CommandCall } from '../app/types.ts';
import { ClchatError, EXIT } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';
import { clean } from '../text.ts';
import { Attention } from './attention.ts';
import { ringsBell } from './bell.ts';
import { CallView } from './call-view.ts';
import { exposedCommand, withSlashes } from './chat-guard.ts';
import { commandOf } from './commands.ts';
import { completeChat, completeCommand } from './complete.ts';
import { Departure } from './departure.ts';
import { formatServer } from './format-network.ts';
import { formatError, formatEvent, type Style } from './format.ts';
import { greeting } from './greeting.ts';
import { Once } from './once.ts';
import { Outage } from './outage.ts';
import { isSecretLine, maskSecrets, parse, scan } from './parse.ts';
import { Pipeline } from './pipeline.ts';
import type { Prompt } from './prompt-contract.ts';
import { failure, run, type Context, type Ending, type Outcome } from './runner.ts';
import type { Settings } from './settings.ts';
import { Speech, type Work } from './speech.ts';
import { note } from './style.ts';
import { Transfers } from './transfers.ts';
import { addressee, Typists } from './typing.ts';
import { wrapLines } from './width.ts';

export interface LineModeOptions {
  readonly app: App;
  /** Made by `createPrompt`; closed at the end. */
  readonly prompt: Prompt;
  readonly settings: Settings;
  readonly mode: 'chat' | 'command';
  /** Nobody is there to be asked: lines come from no terminal. */
  readonly unattended?: boolean;
  /** Goes on after the end of the input, until `quit`, an interrupt or the signal. */
  readonly headless: boolean;
  /** How pictures are drawn; undefined: as well as the terminal can. */
  readonly graphics?: string | undefined;
  /** Colours are possible here; the setting may still switch them off. */
  readonly colours: boolean;
  readonly clock: Clock;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
}

/** Commands that show what others have written, which is theirs to divide into lines. */
const QUOTING: ReadonlySet<string> = new Set(['history', 'search', 'versions', 'motd']);

/** Serves a person until the end; the App is not stopped. Never rejects. */
export function runLineMode(options: LineModeOptions): Promise<Ending> {
  return new LineMode(options).serve();
}

class LineMode {
  readonly #options: LineModeOptions;
  readonly #app: App;
  readonly #prompt: Prompt;
  readonly #pipeline = new Pipeline<Outcome>();
  readonly #speech: Speech;
  readonly #transfers: Transfers;
  readonly #attention: Attention;
  readonly #departure: Departure;
  readonly #typists = new Typists(() => this.#refresh());
  readonly #once: Once;
  readonly #outage: Outage;
  /** Absent where nothing can be drawn. */
  readonly #callView: CallView | undefined;
  /** Refusals that the result of a command under way may be about to tell. */
  #refusals: Extract<AppEvent, { event: 'refused' }>[] = [];
  /** The command under way that runs alone; what it does needs no further word. */
  #running: string | undefined;
  #mode: 'chat' | 'command';
  /** Where the server of this process is reached from the internet, as was said last. */
  #external: string | undefined;

  constructor(options: LineModeOptions) {
    this.#options = options;
    this.#app = options.app;
    this.#prompt = options.prompt;
    this.#mode = options.mode;
    this.#transfers = new Transfers(options.prompt, () => this.#style);
    this.#once = new Once(options.clock);
    this.#outage = new Outage({
      clock: options.clock,
      tell: (event) => this.#event(event),
      say: (text) => this.#print(note(text, this.#style)),
    });
    const unattended = options.unattended === true;
    const { terminal } = options.prompt;
    this.#callView =
      terminal && new CallView({ app: options.app, terminal, mode: options.graphics });
    this.#attention = new Attention({ ...options, attended: !unattended });
    this.#departure = new Departure({
      ...options,
      unattended,
      idle: () => this.#pipeline.idle(),
    });
    this.#speech = new Speech({
      app: this.#app,
      prompt: this.#prompt,
      clock: options.clock,
      style: () => this.#style,
      run: (call) => run(call, this.#context),
      tell: (outcome) => this.#tell(outcome),
    });
  }

  async serve(): Promise<Ending> {
    const { signal } = this.#options;
    const onAbort = (): void =>
      this.#departure.end({ reason: 'interrupt', status: EXIT.interrupted });
    signal.addEventListener('abort', onAbort, { once: true });
    this.#greet();
    const unsubscribe = this.#app.subscribe((event) => this.#onEvent(event));
    this.#prompt.attach({
      onLine: (line) => this.#onLine(line),
      onStop: (reason) => this.#departure.stop(reason),
      onActivity: () => this.#attention.touch(),
      onEdit: (line) => this.#onEdit(line),
      complete: (before) =>
        this.#reading === 'chat'
          ? completeChat(before, this.#app)
          : completeCommand(before, this.#app),
    });
    if (signal.aborted) onAbort();

    const ending = await this.#departure.complete();
    signal.removeEventListener('abort', onAbort);
    unsubscribe();
    this.#typists.stop();
    this.#outage.stop();
    await this.#callView?.stop();
    this.#prompt.close();
    return ending;
  }

  get #style(): Style {
    const { settings, colours, clock } = this.#options;
    return {
      colours: colours && this.#prompt.inPlace && settings.get('colours'),
      plain: !this.#prompt.inPlace,
      time: settings.get('time'),
      ids: settings.get('ids'),
      user: this.#app.status().user,
      now: () => clock.now(),
    };
  }

  get #context(): Context {
    const { settings, unattended } = this.#options;
    return {
      app: this.#app,
      ...(unattended === true ? {} : { ask: this.#prompt.ask }),
      style: this.#style,
      local: {
        settings,
        mode: (wanted) => this.#switch(wanted),
        clear: () => this.#prompt.clear(),
        ...(this.#callView === undefined ? {} : { pictures: this.#callView }),
        quit: () => void this.#departure.leave({ reason: 'quit', status: EXIT.fine }),
      },
    };
  }

  /** How lines are read: who is not logged in has nobody to talk to. */
  get #reading(): 'chat' | 'command' {
    return this.#app.status().user === undefined ? 'command' : this.#mode;
  }

  #greet(): void {
    const status = this.#app.status();
    const { server } = status;
    this.#external = server?.external;
    if (status.mode === 'server' && server !== undefined)
      this.#prompt.print(formatServer(server, this.#style, this.#prompt.columns ?? Infinity));
    this.#outage.restart(server, false);
    this.#refresh();
    this.#print(greeting(status, this.#reading === 'chat'));
  }

  /** The prompt says where one is, so it follows every change. */
  #refresh(): void {
    const { room, conversation } = this.#app.status();
    const place = room === undefined ? '' : `[${clean(room)}] `;
    const chat = conversation === undefined ? '' : clean(conversation);
    const typing = this.#typists.textFor(conversation);
    const others = typing === '' ? '' : `(${typing}) `;
    const away = this.#outage.isAway ? '(server away) ' : '';
    this.#prompt.setPrompt(
      away + (this.#reading === 'command' ? `${place}${others}>>> ` : `${others}${chat}> `),
      this.#style.colours ? '1' : '',
    );
  }

  #switch(wanted: string | undefined): 'chat' | 'command' {
    if (wanted === 'chat' || wanted === 'command') this.#mode = wanted;
    else this.#mode = this.#mode === 'chat' ? 'command' : 'chat';
    this.#refresh();
    return this.#mode;
  }

  #onEdit(line: string): void {
    if (!this.#options.settings.get('typing')) return;
    const whom = addressee(line, this.#reading);
    if (whom !== undefined) this.#app.typing(whom.user);
  }

  #onLine(line: string): void | Promise<void> {
    if (this.#departure.isDecided || line.trim() === '') return;
    if (!this.#prompt.inPlace) this.#attention.touch();
    const isText = this.#reading === 'chat' && (!line.startsWith('/') || line.startsWith('//'));
    const exposed =
      isText && !line.startsWith('/') ? exposedCommand(line, this.#app.names('room')) : undefined;
    if (exposed === undefined || this.#options.unattended === true) return this.#take(line, isText);
    return this.#holdBack(line, exposed);
  }

  /** A line that may have been meant as a command with a secret in it. */
  async #holdBack(line: string, command: string): Promise<void> {
    const { conversation = '' } = this.#app.status();
    const whom = conversation.startsWith('@') ? clean(conversation.slice(1)) : 'everybody';
    const isMeant = await this.#prompt.ask
      .confirm(`This looks like the command /${command}. Say it to ${whom}?`, false)
      .catch(() => false);
    if (isMeant) return this.#take(line, true);
    this.#print(`Nothing was said. A command begins with a slash: /${command}`);
  }

  #take(line: string, isText: boolean): void | Promise<void> {
    if (isText || !isSecretLine(line)) this.#prompt.remember(line);
    let call: CommandCall;
    try {
      call = isText ? this.#spoken(line.startsWith('//') ? line.slice(1) : line) : parse(line);
    } catch (error) {
      // In the midst of a chat somebody may not have seen that nobody is logged in any more.
      const isStranded = this.#mode === 'chat' && this.#reading === 'command';
      const isText = isStranded && scan(line).command === undefined;
      const outcome = failure(isText ? new ClchatError('NOT_LOGGED_IN') : error);
      this.#echo(line);
      // Answers keep the order of their lines.
      this.#pipeline.push({ overlaps: true, run: () => Promise.resolve(outcome) }, (result) =>
        this.#tell(result),
      );
      return;
    }
    // To leave needs no patience with what is still under way; the end waits for that itself.
    if (call.name === 'quit') return this.#departure.leave({ reason: 'quit', status: EXIT.fine });
    const speaks = ['say', 'message', 'reply', 'attach'].includes(call.name);
    // What is attached is shown only once it has been read.
    if (!speaks || call.name === 'attach') this.#echo(line);
    const command = commandOf(call.name);
    const overlaps = command?.overlaps === true;
    const outcome = speaks ? this.#speech.speak(call) : this.#command(call);
    const done = new Promise<void>((resolve) => {
      this.#pipeline.push({ overlaps, run: outcome.run }, (result) => {
        outcome.tell(result);
        this.#refresh();
        this.#attention.shown();
        resolve();
      });
    });
    // A pipe is read on while messages are on their way, but not past any other command. What a
    // person types after a command that may ask for a password may be that password.
    if (this.#prompt.inPlace) return command?.asks === true ? done : undefined;
    return overlaps ? this.#pipeline.room() : done;
  }

  /** A line of chat as the command that says it. */
  #spoken(text: string): CommandCall {
    const { conversation } = this.#app.status();
    if (conversation?.startsWith('@') === true)
      return { name: 'message', args: { user: conversation.slice(1), message: text } };
    return { name: 'say', args: { text } };
  }

  /** What was typed stays readable above its result; a terminal without our prompt has it already. */
  #echo(line: string): void {
    if (!this.#prompt.inPlace) return;
    const { room } = this.#app.status();
    const prompt =
      this.#reading === 'chat' ? '> ' : `${room === undefined ? '' : `[${clean(room)}] `}>>> `;
    this.#prompt.print(prompt + clean(maskSecrets(line)));
  }

  #command(call: CommandCall): Work {
    const tell = (outcome: Outcome): void => this.#tell(outcome, QUOTING.has(call.name));
    if (call.name === 'mode') {
      // At once, whatever is still under way: the next line is read in the new mode already.
      const outcome = run(call, this.#context);
      return { run: () => outcome, tell };
    }
    return {
      run: async () => {
        this.#running = call.name;
        return run(call, this.#context).finally(() => (this.#running = undefined));
      },
      tell,
    };
  }

  /** A text of the program's own, which may be longer than a line. */
  #print(text: string): void {
    const { columns } = this.#prompt;
    this.#prompt.print(columns === undefined ? text : wrapLines(text, columns));
  }

  /** @param quotes others have written what it shows, and divided it into lines */
  #tell(outcome: Outcome, quotes = false): void {
    const { text } = outcome;
    if (outcome.ok) {
      if (text === '' || this.#once.isRepeated(text, 'result')) return;
      if (quotes) this.#prompt.print(text);
      else this.#print(text);
      return;
    }
    const { code } = outcome;
    const told = this.#refusals.findIndex((refusal) => refusal.code === code);
    if (told >= 0) this.#refusals.splice(told, 1);
    const written = this.#reading === 'chat' ? withSlashes(text) : text;
    this.#print(formatError(new ClchatError(code, written), this.#style));
  }

  /** A refusal of something that was not written here, or not in this run. */
  async #refused(event: Extract<AppEvent, { event: 'refused' }>): Promise<void> {
    this.#refusals.push(event);
    while (!this.#pipeline.empty) await this.#pipeline.idle();
    for (const refusal of this.#refusals.splice(0)) this.#event(refusal);
  }

  #onEvent(event: AppEvent): void {
    switch (event.event) {
      case 'message':
        this.#speech.onMessage(event);
        this.#attention.shown();
        if (event.mine) break;
        this.#typists.spoke(event.from, event.to === undefined ? event : { to: event.from });
        break;
      case 'typing':
        if (this.#options.settings.get('typing')) this.#typists.note(event.user, event);
        break;
      case 'receipt':
        return this.#speech.onReceipt(event);
      case 'attachment':
        return this.#transfers.note(event);
      case 'refused':
        if (!this.#speech.onRefused(event)) void this.#refused(event);
        break;
      case 'server':
        this.#outage.note(event, this.#prompt.inPlace);
        break;
      case 'locked':
        this.#event(event);
        this.#departure.end({ reason: 'locked', status: EXIT.authentication });
        break;
      case 'login':
        this.#outage.restart(this.#app.status().server, this.#prompt.inPlace);
        if (this.#running !== 'login' && this.#running !== 'user') this.#event(event);
        break;
      case 'logout':
        this.#outage.restart(undefined, this.#prompt.inPlace);
        if (this.#running !== 'logout') this.#event(event);
        break;
      case 'mapping':
        // Ports for calls are told of when there is a call.
        if (event.transport === 'udp') break;
        // What has been shown at the start, or goes on as it was, is no news to anybody.
        if (
          event.state === 'mapped' ? event.external !== this.#external : event.state !== 'renewed'
        )
          this.#event(event);
        this.#external = event.external;
        break;
      default:
        this.#event(event);
    }
    if (ringsBell(event) && this.#options.settings.get('bell')) this.#prompt.bell();
    this.#refresh();
  }

  #event(event: AppEvent): void {
    const style = this.#style;
    const { conversation } = this.#app.status();
    const text = formatEvent(event, style, conversation);
    if (text === undefined) return;
    const bare = formatEvent(event, { ...style, time: false, colours: false }, conversation) ?? '';
    if (this.#once.isRepeated(bare.replace(/^\* /, ''), 'event')) return;
    // What others wrote is theirs to divide into lines.
    const isQuoted = event.event === 'broadcast' || event.event === 'private-message';
    if (isQuoted) this.#prompt.print(text);
    else this.#print(text);
  }
}
