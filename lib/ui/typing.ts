/** Who is typing a text: this person, so that others are told, and others, so that it is shown. */
import type { PlaceView } from '../app/types.ts';
import { clean } from '../text.ts';
import { exposedCommand } from './chat-guard.ts';
import { scan } from './parse.ts';
import { fit } from './width.ts';

/** How long somebody is shown as typing after it was last told, in milliseconds. */
const SHOWN_MS = 6_000;
/** Columns that a name may take. */
const NAME_COLUMNS = 16;
/** People that are kept in mind. */
const MAX_TYPISTS = 100;

/**
 * To whom a half-typed line speaks: to `user`, or in the current conversation; undefined where it is
 * no text, or might not be meant as one.
 */
export function addressee(
  line: string,
  reading: 'chat' | 'command',
): { readonly user?: string } | undefined {
  const isCommand = reading === 'command' || (line.startsWith('/') && !line.startsWith('//'));
  if (!isCommand) return line.trim() === '' || exposedCommand(line) !== undefined ? undefined : {};
  const { command, parts } = scan(line);
  const valueOf = (name: string): string | undefined =>
    parts.find(({ target }) => target.name === name)?.value.trim();
  switch (command?.name) {
    case 'say':
    case 'reply':
      return (valueOf('text') ?? '') === '' ? undefined : {};
    case 'message': {
      const user = valueOf('user')?.replace(/^@/, '');
      return user === undefined || (valueOf('message') ?? '') === '' ? undefined : { user };
    }
    default:
      return undefined;
  }
}

/** Others who are typing, for as long as it is worth showing. */
export class Typists {
  readonly #onChange: () => void;
  /** By conversation and name; the timer that ends it. */
  readonly #typing = new Map<string, NodeJS.Timeout>();

  /** @param onChange somebody has begun or ended */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  #keyOf(user: string, { to, room }: PlaceView): string {
    return `${to === undefined ? `#${room ?? ''}` : `@${to}`}\n${user}`;
  }

  note(user: string, place: PlaceView): void {
    const key = this.#keyOf(user, place);
    const before = this.#typing.get(key);
    if (before === undefined && this.#typing.size >= MAX_TYPISTS) return;
    clearTimeout(before);
    const timer = setTimeout(() => this.#end(key), SHOWN_MS);
    timer.unref();
    this.#typing.set(key, timer);
    if (before === undefined) this.#onChange();
  }

  /** What was typed has come. */
  spoke(user: string, place: PlaceView): void {
    this.#end(this.#keyOf(user, place));
  }

  #end(key: string): void {
    const timer = this.#typing.get(key);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#typing.delete(key);
    this.#onChange();
  }

  /** Who is typing in a conversation, such as `bob is typing…`; empty where nobody is. */
  textFor(conversation: string | undefined): string {
    const names = [...this.#typing.keys()]
      .map((key) => key.split('\n') as [string, string])
      .filter(([where]) => where === conversation)
      .map(([, user]) => fit(clean(user), NAME_COLUMNS));
    const [first, second] = names;
    if (first === undefined) return '';
    if (second === undefined) return `${first} is typing…`;
    return names.length === 2 ? `${first} and ${second} are typing…` : 'several are typing…';
  }

  stop(): void {
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
  }
}
