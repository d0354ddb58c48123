/** What this person has chosen about others in calls, for themselves only; kept while the program runs. */
import type { AccountId } from '../../crdt/keys.ts';

export interface Choices {
  readonly isMuted: boolean;
  readonly isHidden: boolean;
  /** In percent. */
  readonly volume: number;
}

export const USUAL: Choices = { isMuted: false, isHidden: false, volume: 100 };

/** Those for whom something was chosen last. */
const MAX_CHOICES = 256;

export class ChoiceBook {
  readonly #choices = new Map<AccountId, Choices>();

  of(account: AccountId): Choices {
    return this.#choices.get(account) ?? USUAL;
  }

  choose(account: AccountId, choices: Partial<Choices>): void {
    const chosen = { ...this.of(account), ...choices };
    this.#choices.delete(account);
    this.#choices.set(account, chosen);
    const [oldest] = this.#choices.keys();
    if (this.#choices.size > MAX_CHOICES) this.#choices.delete(oldest!);
  }
}
