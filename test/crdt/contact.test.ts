import assert from 'node:assert/strict';
import fc from 'fast-check';
import { relationOf, type Relation } from '../../lib/crdt/contact.ts';
import { pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { Ledger, type Member } from '../support/community.ts';

const KINDS = ['request', 'cancel', 'accept', 'reject', 'befriend', 'unfriend'] as const;
type Kind = (typeof KINDS)[number];

/** What the one who acts may do, and what the two are then, as the one who acts sees it. */
const TABLE: Record<Relation, Partial<Record<Kind, Relation>>> = {
  none: { request: 'outgoing', befriend: 'contact' },
  outgoing: { cancel: 'none', befriend: 'contact' },
  incoming: { request: 'contact', accept: 'contact', reject: 'none', befriend: 'contact' },
  contact: { unfriend: 'none' },
};

const SEEN_BY_THE_OTHER: Record<Relation, Relation> = {
  none: 'none',
  outgoing: 'incoming',
  incoming: 'outgoing',
  contact: 'contact',
};

describe('contacts', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
    bob = ledger.join('bob');
    pair = pairStream(alice.account, bob.account);
  });

  const relation = (of: Member, to: Member): Relation =>
    relationOf(ledger.at(pair).state, of.account, to.account);

  it('are what a plain table says, whatever the two do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...KINDS)), { maxLength: 30 }),
        (steps) => {
          ledger = new Ledger();
          alice = ledger.join('alice');
          bob = ledger.join('bob');
          pair = pairStream(alice.account, bob.account);
          let expected: Relation = 'none';
          for (const [byAlice, kind] of steps) {
            const actor = byAlice ? alice : bob;
            const seen: Relation = byAlice ? expected : SEEN_BY_THE_OTHER[expected];
            const next: Relation | undefined = TABLE[seen][kind];
            const verdict = ledger.submit(actor.write(pair, kind, {}));
            assert.equal(verdict.type, next === undefined ? 'refused' : 'accepted', kind);
            if (next !== undefined) expected = byAlice ? next : SEEN_BY_THE_OTHER[next];
            assert.equal(relation(alice, bob), expected);
            assert.equal(relation(bob, alice), SEEN_BY_THE_OTHER[expected]);
          }
        },
      ),
    );
  });

  it('say why something cannot be', () => {
    for (const kind of ['cancel', 'accept', 'reject'] as const)
      ledger.refuse(alice.write(pair, kind, {}), 'NO_REQUEST');
    ledger.refuse(alice.write(pair, 'unfriend', {}), 'NOT_CONTACT');
    ledger.accept(alice.write(pair, 'request', {}));
    ledger.refuse(alice.write(pair, 'request', {}), 'ALREADY');
    ledger.refuse(alice.write(pair, 'accept', {}), 'NO_REQUEST');
    ledger.accept(bob.write(pair, 'accept', {}));
    for (const kind of ['request', 'befriend'] as const)
      ledger.refuse(bob.write(pair, kind, {}), 'ALREADY');
  });

  it('are a matter of the two alone', () => {
    const carol = ledger.join('carol');
    ledger.accept(alice.write(pair, 'request', {}));
    ledger.reject(carol.write(pair, 'accept', {}), 'DENIED');
    assert.equal(relation(bob, alice), 'incoming');
    ledger.reject(alice.write('room/lobby', 'request', {}), 'BAD_ENTRY');
  });

  it('take no more than the word that they are', () => {
    ledger.reject(alice.forge(pair, 'request', { note: 'hi' }), 'BAD_ENTRY');
  });
});
