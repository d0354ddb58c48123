/** How far files have got: a line for each that changes in place, or a few lines where none can. */
import { sentText, shareText, transferText, type Transfer } from './format-file.ts';
import type { MarkedLine, Prompt } from './prompt-contract.ts';
import { note, type Style } from './style.ts';

/** Lines about one file, where they cannot change, but for the last. */
const STEPS = 4;
/** Files that are followed at once. */
const MAX_FOLLOWED = 64;

interface Followed {
  readonly isFetched: boolean;
  /** The line that changes in place. */
  readonly line?: MarkedLine;
  /** How many steps have been told. */
  told: number;
}

export class Transfers {
  readonly #prompt: Prompt;
  readonly #style: () => Style;
  readonly #followed = new Map<string, Followed>();

  constructor(prompt: Prompt, style: () => Style) {
    this.#prompt = prompt;
    this.#style = style;
  }

  /** Shows what an event tells. */
  note(event: Transfer): void {
    if (event.state === 'done' || event.state === 'failed') this.#end(event);
    else this.#follow(event);
  }

  #follow(event: Transfer): void {
    const { id, progress, state } = event;
    const isFetched = state === 'fetching';
    const followed = this.#followed.get(id) ?? { isFetched, told: 0 };
    if (this.#followed.size < MAX_FOLLOWED) this.#followed.set(id, followed);
    // What is there at once needs no line.
    if (progress <= 0 || progress >= 1) return;
    const mark = shareText(progress, !this.#prompt.inPlace);
    if (followed.line !== undefined) followed.line.update(mark);
    else if (this.#prompt.inPlace) {
      const line = this.#prompt.printMarked(note(transferText(event), this.#style()), mark);
      if (this.#followed.has(id)) this.#followed.set(id, { ...followed, line });
    } else if (followed.told < Math.floor(progress * STEPS)) {
      followed.told = Math.floor(progress * STEPS);
      this.#print(`${transferText(event)}: ${mark}`);
    }
  }

  #end(event: Transfer): void {
    const { line, isFetched = false, told = 0 } = this.#followed.get(event.id) ?? {};
    this.#followed.delete(event.id);
    const isDone = event.state === 'done';
    line?.update(isDone ? '✓' : '✗');
    // The command by which it was fetched tells the rest.
    if (isFetched) return;
    const isSeen = line === undefined ? told === 0 : (line.isShown?.() ?? true);
    if (!isDone || !isSeen) this.#print(sentText(event));
  }

  #print(text: string): void {
    this.#prompt.print(note(text, this.#style()));
  }
}
