/** Whom this person knows, on which it hangs who may see their camera. */
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { roomOf } from '../../crdt/rooms.ts';
import type { Participant } from '../../node/calls/wire.ts';
import type { Home } from '../../node/client/home.ts';

export class Acquaintances {
  #contacts = new Set<AccountId>();
  #isKnown = false;

  /** There may be others by now. */
  forget(): void {
    this.#isKnown = false;
  }

  /** All conversations are looked through for that, and so only where something may be different. */
  async learn({ contacts }: Home): Promise<void> {
    if (this.#isKnown) return;
    this.#isKnown = true;
    const all = await contacts.all();
    this.#contacts = new Set([...all].flatMap(([one, how]) => (how === 'contact' ? [one] : [])));
  }

  /**
   * Whether somebody in the same call may see the camera: in that of a room contacts, and all who have
   * entered it. @param room undefined: between two
   */
  maySee(
    { space }: Home,
    account: AccountId,
    { entered }: Participant,
    room: RoomId | undefined,
  ): boolean {
    if (room === undefined || entered || this.#contacts.has(account)) return true;
    return roomOf(space, room)?.lifetime === 'conference';
  }
}
