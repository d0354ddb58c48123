/** Where a person is: the rooms entered, one after the other, and with whom they talk. */
import type { RoomId } from '../crdt/keys.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../crdt/stream.ts';

/** Why somebody is not in a room any more without having left it here. */
export type Loss = 'put out' | 'gone' | 'left elsewhere';

/** Most rooms of which it is remembered that they were entered one after the other. */
const MAX_ENTERED = 64;

export class Situation {
  /** Whether authors may know that their messages are read here. */
  tellsReading = true;
  readonly #entered: RoomId[] = [];
  #talk: StreamName | undefined;
  /** What took the person out of where what they typed was said, until they choose another place. */
  #lost: { readonly room: RoomId; readonly path: string; readonly how: Loss } | undefined;
  /** The person has been told of that. */
  #isTold = false;

  /** The room that the prompt shows; undefined at the top. */
  get room(): RoomId | undefined {
    return this.#entered.at(-1);
  }

  /** Where a person is among the conversations. */
  get conversation(): StreamName {
    if (this.#talk !== undefined) return this.#talk;
    return this.room === undefined ? LOBBY_STREAM : roomStream(this.room);
  }

  /** Where what is typed is said; undefined where somebody has to be told first that it is elsewhere. */
  get current(): StreamName | undefined {
    return this.#lost === undefined || this.#isTold ? this.conversation : undefined;
  }

  /**
   * Has somebody told, before a text goes elsewhere than where they were when they began it. What
   * arrived together with that text is refused with it, and what comes after it no more.
   * @returns what they have to be told
   */
  takeLoss(): { readonly path: string; readonly how: Loss } | undefined {
    const lost = this.#lost;
    if (lost === undefined || this.#isTold) return lost;
    this.#isTold = true;
    setImmediate(() => {
      if (this.#lost === lost) this.#choose();
    });
    return lost;
  }

  /** The person knows where they are. */
  #choose(): void {
    this.#lost = undefined;
    this.#isTold = false;
  }

  /** Whether a room has been entered, and not been left again. */
  isIn(room: RoomId): boolean {
    return this.#entered.includes(room);
  }

  /** All rooms entered, the last one last. */
  get rooms(): readonly RoomId[] {
    return this.#entered;
  }

  /** Goes into a room; what is typed is said there. */
  enter(room: RoomId): void {
    this.#choose();
    this.#talk = undefined;
    if (this.room !== room) this.#entered.push(room);
    if (this.#entered.length > MAX_ENTERED) this.#entered.shift();
  }

  /** Undoes the last `enter`. @returns the room that was left; undefined at the top */
  leave(): RoomId | undefined {
    if (this.room !== undefined) this.#choose();
    this.#talk = undefined;
    return this.#entered.pop();
  }

  /** Forgets a room, wherever it was entered: the person has left or removed it. */
  forget(room: RoomId): void {
    if (this.#lost?.room === room) this.#choose();
    this.#drop(room);
  }

  /** Forgets a room that was lost: what is typed goes nowhere else until the person knows. */
  lose(room: RoomId, path: string, how: Loss): void {
    const before = this.conversation;
    this.#drop(room);
    if (this.conversation === before) return;
    // What they had in mind is the place that they lost first.
    if (this.#lost === undefined || this.#isTold) this.#lost = { room, path, how };
    this.#isTold = false;
  }

  #drop(room: RoomId): void {
    const kept = this.#entered.filter(
      // What was entered on both sides of it has been entered once.
      (one, at, all) => one !== room && one !== all.slice(0, at).findLast((two) => two !== room),
    );
    this.#entered.splice(0, this.#entered.length, ...kept);
    if (this.#talk === roomStream(room)) this.#talk = undefined;
  }

  /** Talks elsewhere without entering anything; undefined: where one is. */
  talk(conversation: StreamName | undefined): void {
    this.#choose();
    this.#talk = conversation;
  }

  /** Nobody is logged in any more. */
  reset(): void {
    this.#choose();
    this.#entered.length = 0;
    this.#talk = undefined;
  }
}
