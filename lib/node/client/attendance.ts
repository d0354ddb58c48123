/** From where on what happens in closed rooms is news: whoever comes in has missed nothing of before. */
import { authorOf, conversationAction } from '../../crdt/content.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId } from '../../crdt/keys.ts';
import type { Replica } from '../../crdt/replica.ts';
import { isEncryptedRoom } from '../../crdt/rooms.ts';
import type { Batch } from '../../crdt/seal.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';

export class Attendance {
  readonly #replica: Replica;
  readonly #account: AccountId;
  /** Whether this account is in a closed room, as of the last batch that came. */
  readonly #isIn = new Map<StreamName, boolean>();

  constructor(replica: Replica, account: AccountId) {
    this.#replica = replica;
    this.#account = account;
  }

  /**
   * Follows the batches of a stream, in order.
   * @returns how many items of one, from its first on, are no news: this account was not there yet
   */
  follow({ seal, items }: Batch): number {
    const { stream, first } = seal;
    const place = placeOfStream(stream);
    if (place.type !== 'room' || !isEncryptedRoom(this.#replica.space, place.room)) return 0;
    const moves = items.map((item, index) =>
      item.type === 'entry' && !this.#replica.isVoid(stream, first + index)
        ? this.#moveOf(item.entry)
        : undefined,
    );
    const wasIn = this.#isIn.get(stream) ?? this.#wasIn(stream, first, moves);
    this.#isIn.set(stream, moves.findLast((one) => one !== undefined) ?? wasIn);
    if (wasIn) return 0;
    const entrance = moves.indexOf(true);
    return entrance < 0 ? items.length : entrance;
  }

  /** The state of a stream has come as a snapshot. */
  adopted(stream: StreamName): void {
    this.#isIn.set(stream, this.#isMember(stream));
  }

  #isMember(stream: StreamName): boolean {
    return this.#replica.log.record(stream, 'member', this.#account) === true;
  }

  /** Of the first batch that is followed: nobody is in a room that begins, and who comes in was not there. */
  #wasIn(stream: StreamName, first: number, moves: readonly (boolean | undefined)[]): boolean {
    if (first === 0) return false;
    const move = moves.find((one) => one !== undefined);
    return move === undefined ? this.#isMember(stream) : !move;
  }

  /** Whether somebody comes in or goes out by an entry, who is of this account. */
  #moveOf(entry: Entry): boolean | undefined {
    const action = conversationAction(entry);
    switch (action?.kind) {
      case 'join':
      case 'leave': {
        const isOwn = authorOf(this.#replica.space, entry) === this.#account;
        return isOwn ? action.kind === 'join' : undefined;
      }
      case 'members': {
        const { add, remove } = action.body;
        if (add.includes(this.#account)) return true;
        return remove.includes(this.#account) ? false : undefined;
      }
      default:
        return undefined;
    }
  }
}
