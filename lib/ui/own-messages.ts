/**
 * The messages that this person wrote here, from the moment of Enter to the last device: which
 * printed line is whose, and how far each has got.
 */
import type { MessageView, Progress } from '../app/types.ts';
import type { MarkedLine } from './prompt.ts';

/** Lines that are followed, and receipts kept that came before their message was known. */
const MAX_FOLLOWED = 512;

interface Own {
  readonly text: string;
  readonly line: MarkedLine;
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
  readonly #byId = new Recent<Own>();
  readonly #early = new Recent<Progress>();

  /** @param show the mark of a progress */
  constructor(show: (progress: Progress) => string) {
    this.#show = show;
  }

  /** A line was printed for a message that is on its way into the App. */
  sent({ text }: Pick<MessageView, 'text'>, line: MarkedLine): Own {
    return { text, line };
  }

  /** The App has answered: the message has this id. */
  accepted(own: Own, id: string, progress: Progress): void {
    this.#bind(own, id, progress);
  }

  /** The App has refused the message. */
  rejected(own: Own): void {
    own.line.update(this.#show({ state: 'refused' }));
  }

  /** Whether a message of this account that appears was printed here already when it was typed. */
  appeared({ id }: Pick<MessageView, 'id'>): boolean {
    return this.#byId.has(id);
  }

  /** A line was printed for a message that another device of this account sent. */
  follow(message: MessageView, line: MarkedLine): void {
    this.#bind({ text: message.text, line }, message.id, undefined);
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
