/**
 * An App in memory: the real contract without network or store, for the tests of the front ends.
 * Messages are held when the test says so, or at once.
 */
import type {
  App,
  AppEvent,
  AppStatus,
  Ask,
  CallScreen,
  CommandCall,
  MessageView,
  ResultData,
} from '../../lib/app/types.ts';
import { ClchatError } from '../../lib/errors.ts';

export interface FakeOptions {
  readonly user?: string;
  readonly users?: readonly string[];
  readonly conversation?: string;
  readonly connected?: boolean;
  readonly mode?: AppStatus['mode'];
  /** The right password of everybody. */
  readonly password?: string;
  /** Messages are held only by `hold()`. */
  readonly manual?: boolean;
}

type Handler = (call: CommandCall, ask?: Ask) => Promise<ResultData> | ResultData;

export class FakeApp implements App {
  /** Every command that arrived, in order. */
  readonly calls: CommandCall[] = [];
  /** What takes the place of a command's own behaviour. */
  readonly handlers = new Map<string, Handler>();
  readonly messages: MessageView[] = [];
  touches = 0;
  /** How often what was told had been seen. */
  sights = 0;
  /** Whether authors may know that they have been read. */
  tells = true;
  /** To whom a text was being typed; undefined: in the current conversation. */
  readonly typed: (string | undefined)[] = [];
  settled = 0;
  stopped: string | undefined;
  conversation: string | undefined;
  room: string | undefined;
  user: string | undefined;
  connected: boolean;
  readonly #mode: AppStatus['mode'];
  readonly #users: readonly string[];
  readonly #password: string;
  readonly #manual: boolean;
  readonly #listeners = new Set<(event: AppEvent) => void>();
  readonly #blocked = new Set<string>();
  #failures = 0;
  #pending: (() => void)[] = [];

  constructor(options: FakeOptions = {}) {
    this.user = options.user;
    this.#users = options.users ?? ['alice', 'bob', 'carol', 'Zoë'];
    this.conversation = options.conversation;
    this.connected = options.connected ?? true;
    this.#mode = options.mode ?? 'client';
    this.#password = options.password ?? 'secret';
    this.#manual = options.manual ?? false;
  }

  /** What has the call to show. */
  screen: CallScreen | undefined;
  /** How often sizes were said to be others. */
  resizes = 0;

  watchCall(screen: CallScreen | undefined): void {
    this.screen = screen;
  }

  sizesChanged(): void {
    this.resizes += 1;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Messages that wait to be held. */
  get pending(): number {
    return this.#pending.length;
  }

  emit(event: AppEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Lets the server hold the oldest so many messages that wait. */
  hold(count = this.#pending.length): void {
    for (const resolve of this.#pending.splice(0, count)) resolve();
  }

  async execute(call: CommandCall, ask?: Ask): Promise<ResultData> {
    this.calls.push(call);
    const handler = this.handlers.get(call.name);
    if (handler !== undefined) return handler(call, ask);
    const { args } = call;
    switch (call.name) {
      case 'login':
      case 'user':
        return this.#login(args, ask);
      case 'logout': {
        const user = this.#me();
        this.user = undefined;
        return { user };
      }
      case 'passwd': {
        const next = args['new'] ?? (await ask?.secret('New password'));
        if (next === undefined) throw new ClchatError('USAGE', 'A new password is needed.');
        return { user: this.#me() };
      }
      case 'say':
        return this.#send({ room: this.room ?? 'lobby' }, args['text'] ?? '');
      case 'message':
        return this.#send({ to: this.#other(args['user']) }, args['message'] ?? '');
      case 'whoelse':
        return { users: this.#users.filter((name) => name !== this.#me()) };
      case 'block': {
        const user = this.#other(args['user']);
        if (this.#blocked.has(user)) throw new ClchatError('ALREADY');
        this.#blocked.add(user);
        return { user };
      }
      case 'unblock': {
        const user = this.#other(args['user']);
        if (!this.#blocked.delete(user)) throw new ClchatError('NOT_BLOCKED');
        return { user };
      }
      case 'history': {
        const conversation = args['conversation'] ?? this.conversation ?? '#lobby';
        const count = Number(args['count'] ?? '20');
        const mine = this.messages.filter(
          ({ to, room, from }) =>
            `#${room}` === conversation || `@${to}` === conversation || `@${from}` === conversation,
        );
        return { conversation, messages: mine.slice(-count) };
      }
      case 'connect':
        throw new ClchatError('NETWORK');
      default:
        throw new ClchatError('NOT_SUPPORTED', `The fake has no "${call.name}".`);
    }
  }

  subscribe(listener: (event: AppEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): AppStatus {
    const server = {
      id: 'QmFake',
      name: 'acme',
      addresses: ['127.0.0.1:49152'],
      connected: this.connected,
    };
    return {
      mode: this.#mode,
      ...(this.#mode === 'shell' ? {} : { server }),
      ...(this.user === undefined ? {} : { user: this.user }),
      ...(this.conversation === undefined ? {} : { conversation: this.conversation }),
      ...(this.room === undefined ? {} : { room: this.room }),
    };
  }

  names(kind: Parameters<App['names']>[0]): readonly string[] {
    if (kind === 'user') return this.#users;
    const names = {
      room: ['lobby', 'long-hall'],
      conference: ['tea', 'lobby'],
      'conference-id': ['1f4e8a00', 'lobby'],
      device: ['laptop', 'desk'],
      group: ['admin', 'user'],
    };
    return names[kind];
  }

  touch(): void {
    this.touches += 1;
  }

  seen(): void {
    this.sights += 1;
  }

  tellReading(tell: boolean): void {
    this.tells = tell;
  }

  typing(user?: string): void {
    this.typed.push(user);
  }

  async settle(): Promise<void> {
    this.settled += 1;
  }

  async stop(reason: string): Promise<void> {
    this.stopped = reason;
  }

  #me(): string {
    if (this.user === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return this.user;
  }

  #other(name: string | undefined): string {
    const me = this.#me();
    if (name === undefined || !this.#users.includes(name)) throw new ClchatError('NO_SUCH_USER');
    if (name === me) throw new ClchatError('SELF');
    return name;
  }

  async #login(args: Readonly<Record<string, string>>, ask?: Ask): Promise<ResultData> {
    const user = args['username'] ?? '';
    const password = args['password'] ?? (await ask?.secret(`Password of ${user}`));
    if (password !== this.#password) {
      this.#failures += 1;
      if (this.#failures < 3) throw new ClchatError('BAD_PASSWORD');
      this.emit({ event: 'locked', user, seconds: 60 });
      throw new ClchatError('LOCKED');
    }
    const created = !this.#users.includes(user);
    if (created && ask !== undefined && !(await ask.confirm(`Make the account ${user}?`, false)))
      throw new ClchatError('NO_SUCH_USER');
    this.user = user;
    this.conversation = '#lobby';
    this.emit({ event: 'login', user });
    return { user, created };
  }

  async #send(place: { to: string } | { room: string }, text: string): Promise<ResultData> {
    const from = this.#me();
    const id = `m${this.messages.length + 1}`;
    const held = this.connected;
    this.messages.push({
      id,
      from,
      ...place,
      text,
      time: 1_700_000_000_000,
      mine: true,
      progress: { state: held ? 'held' : 'sending' },
    });
    if (!held) return { id, state: 'queued', ...place };
    if (this.#manual) await new Promise<void>((resolve) => this.#pending.push(resolve));
    return { id, state: 'held', ...place };
  }
}
