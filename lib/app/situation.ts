/** Where a person is: the rooms entered, one after the other, and with whom they talk. */
import type { RoomId } from '../crdt/keys.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../crdt/stream.ts';

/** Most rooms of which it is remembered that they were entered one after the other. */
const MAX_ENTERED = 64;

export class Situation {
  /** Whether authors may know that their messages are read here. */
  tellsReading = true;
  readonly #entered: RoomId[] = [];
  #talk: StreamName | undefined;

  /** The room that the prompt shows; undefined at the top. */
  get room(): RoomId | undefined {
    return this.#entered.at(-1);
  }

  /** Where what is typed is said. */
  get conversation(): StreamName {
    if (this.#talk !== undefined) return this.#talk;
    return this.room === undefined ? LOBBY_STREAM : roomStream(this.room);
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
    this.#talk = undefined;
    if (this.room !== room) this.#entered.push(room);
    if (this.#entered.length > MAX_ENTERED) this.#entered.shift();
  }

  /** Undoes the last `enter`. @returns the room that was left; undefined at the top */
  leave(): RoomId | undefined {
    this.#talk = undefined;
    return this.#entered.pop();
  }

  /** Forgets a room, wherever it was entered: it is gone, or one is not in it any more. */
  forget(room: RoomId): void {
    const kept = this.#entered.filter(
      // What was entered on both sides of it has been entered once.
      (one, at, all) => one !== room && one !== all.slice(0, at).findLast((two) => two !== room),
    );
    this.#entered.splice(0, this.#entered.length, ...kept);
    if (this.#talk === roomStream(room)) this.#talk = undefined;
  }

  /** Talks elsewhere without entering anything; undefined: where one is. */
  talk(conversation: StreamName | undefined): void {
    this.#talk = conversation;
  }

  /** Nobody is logged in any more. */
  reset(): void {
    this.#entered.length = 0;
    this.#talk = undefined;
  }
}
