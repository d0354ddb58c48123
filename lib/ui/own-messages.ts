/**
 * The messages that this person wrote here, from the moment of Enter to the last device: which
 * printed line is whose, and how far each has got.
 */
import type { MessageView, Progress } from '../app/types.ts';
import type { MarkedLine } from './prompt.ts';

/** Lines that are followed, and receipts kept that came before their message was known. */
const MAX_FOLLOWED = 512;

interface Own {
  /** `@user` or `#room`; empty for a room that is not known here. */
  readonly place: string;
  readonly text: string;
  readonly line: MarkedLine;
}

function placeOf(message: Pick<MessageView, 'to' | 'room'>): string {
  if (message.to !== undefined) return `@${message.to}`;
  return message.room === undefined ? '' : `#${message.room}`;
}

/** A map that forgets its oldest entry. */
class Recent<T> extends Map<string, T> {
  override set(key: string, value: T): this {
    super.set(key, value);
    const oldest = this.keys().next();
    if (this.size > MAX_FOLLOWED && oldest.done !== true) this.delete(oldest.value);
    return this;
  }
}

export class OwnMessages {
  readonly #show: (progress: Progress) => string;
  /** Printed, but the App has not said yet under what id. */
  #unknown: Own[] = [];
  readonly #byId = new Recent<Own>();
  readonly #early = new Recent<Progress>();

  /** @param show the mark of a progress */
  constructor(show: (progress: Progress) => string) {
    this.#show = show;
  }

  /** A line was printed for a message that is on its way into the App. */
  sent(message: Pick<MessageView, 'to' | 'room' | 'text'>, line: MarkedLine): Own {
    const own: Own = { place: placeOf(message), text: message.text, line };
    this.#unknown.push(own);
    if (this.#unknown.length > MAX_FOLLOWED) this.#unknown.shift();
    return own;
  }

  /** The App has answered: the message has this id. */
  accepted(own: Own, id: string, progress: Progress): void {
    this.#unknown = this.#unknown.filter((other) => other !== own);
    this.#bind(own, id, progress);
  }

  /** The App has refused the message. */
  rejected(own: Own): void {
    this.#unknown = this.#unknown.filter((other) => other !== own);
    own.line.update(this.#show({ state: 'refused' }));
  }

  /**
   * A message of this account has appeared.
   * @returns whether it was printed here already when it was typed
   */
  appeared(message: MessageView): boolean {
    if (this.#byId.has(message.id)) return true;
    const place = placeOf(message);
    const own = this.#unknown.find(
      (other) =>
        (other.place === place || other.place === '') && other.text.trim() === message.text.trim(),
    );
    if (own === undefined) return false;
    this.accepted(own, message.id, message.progress ?? { state: 'sending' });
    return true;
  }

  /** A line was printed for a message that another device of this account sent. */
  follow(message: MessageView, line: MarkedLine): void {
    this.#bind({ place: placeOf(message), text: message.text, line }, message.id, undefined);
  }

  /** @returns the text of the message, if it was written or shown here */
  progressed(id: string, progress: Progress): string | undefined {
    const own = this.#byId.get(id);
    if (own === undefined) this.#early.set(id, progress);
    else own.line.update(this.#show(progress));
    return own?.text;
  }

  #bind(own: Own, id: string, progress: Progress | undefined): void {
    const known = this.#byId.has(id);
    const early = this.#early.get(id);
    this.#early.delete(id);
    this.#byId.set(id, own);
    // A receipt tells more than the answer that it overtook.
    const newest = early ?? (known ? undefined : progress);
    if (newest !== undefined) own.line.update(this.#show(newest));
  }
}
