import assert from 'node:assert/strict';
import { ChoiceBook, USUAL } from '../../../lib/app/calls/choices.ts';
import type { AccountId } from '../../../lib/crdt/keys.ts';

const account = (number: number): AccountId => `account ${number}` as AccountId;

describe('what one has chosen about others in calls', () => {
  it('is remembered of each, one thing beside the other', () => {
    const book = new ChoiceBook();
    assert.deepEqual(book.of(account(1)), USUAL);
    book.choose(account(1), { isMuted: true });
    book.choose(account(1), { volume: 50 });
    assert.deepEqual(book.of(account(1)), { isMuted: true, isHidden: false, volume: 50 });
    assert.deepEqual(book.of(account(2)), USUAL);
  });

  it('is not remembered of any number of them', () => {
    const book = new ChoiceBook();
    for (let number = 0; number < 256; number++) book.choose(account(number), { volume: 1 });
    book.choose(account(0), { volume: 2 });
    book.choose(account(256), { volume: 1 });
    assert.deepEqual([book.of(account(0)).volume, book.of(account(1)).volume], [2, 100]);
  });
});
