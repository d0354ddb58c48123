/**
 * What is handed back without its body. Seals vouch for it all the same, and taken so it would be lost
 * for good; so it has to be shown that it was erased rightly.
 */
import { authorOf, conversationAction, isEntitled, targetOf } from '../../crdt/content.ts';
import { decodeEntry, isMessage, verifyEntry, type Entry } from '../../crdt/entry.ts';
import type { EntryId, PublicKey } from '../../crdt/keys.ts';
import { accountOf } from '../../crdt/records.ts';
import { may } from '../../crdt/rights.ts';
import type { Batch, Item } from '../../crdt/seal.ts';
import type { Reader } from '../../crdt/state.ts';

/**
 * Whether all that a batch lacks was erased rightly: by the end of its author's account, or by
 * removals that are shown.
 * @param removals entries of the same stream, as bytes
 * @throws BAD_ENTRY for what is no entry
 */
export function isErasedRightly(
  batch: Batch,
  removals: readonly Uint8Array[],
  server: PublicKey,
  space: Reader,
): boolean {
  const erased = batch.items.flatMap((item) => (isErased(item) ? [item.entry] : []));
  if (erased.length === 0) return true;
  const byTarget = new Map<EntryId, Entry[]>();
  for (const bytes of removals) {
    const removal = decodeEntry(bytes);
    const target = removal.kind === 'remove' ? targetOf(removal) : undefined;
    const isFit =
      removal.server === server && removal.stream === batch.seal.stream && verifyEntry(removal);
    if (target !== undefined && isFit && isMeant(removal, space))
      byTarget.set(target, [...(byTarget.get(target) ?? []), removal]);
  }
  return erased.every((entry) => {
    const author = authorOf(space, entry);
    if (author !== undefined && accountOf(space, author)?.erased === true) return true;
    // What was said about a message does not tell any more about which.
    if (!isMessage(entry)) return byTarget.size > 0;
    return byTarget.get(entry.id)?.some((removal) => isEntitled(space, removal, entry)) === true;
  });
}

/** Whether its author has the right that a removal claims. */
function isMeant(removal: Entry, space: Reader): boolean {
  const author = authorOf(space, removal);
  const action = conversationAction(removal);
  if (author === undefined || action?.kind !== 'remove') return false;
  return action.body.moderator !== true || may(space, author, 'changeMessage');
}

export function isErased(item: Item): item is Extract<Item, { type: 'entry' }> {
  return item.type === 'entry' && item.entry.body === undefined;
}
