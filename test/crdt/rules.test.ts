import assert from 'node:assert/strict';
import { eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import { Keyring } from '../../lib/crdt/keyring.ts';
import type { EntryId, PublicKey } from '../../lib/crdt/keys.ts';
import type { HeadRecord } from '../../lib/crdt/records.ts';
import { checkChain, judge, MAX_CLOCK_STEP, mayRead, reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem, refusalItem } from '../../lib/crdt/seal.ts';
import { State } from '../../lib/crdt/state.ts';
import { accountStream, LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { Ledger, Member, NOW, Writer } from '../support/community.ts';

const headOf = (state: State, device: PublicKey): HeadRecord | undefined =>
  state.get<HeadRecord>('head', device);

describe('the rules', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
    bob = ledger.join('bob');
  });

  describe('of a device and its chain', () => {
    it('take entries one after the other', () => {
      for (const text of ['one', 'two', 'three']) {
        const entry = ledger.accept(alice.write(LOBBY_STREAM, 'say', { text }));
        assert.deepEqual(headOf(ledger.at(LOBBY_STREAM).state, alice.id), {
          seq: entry.seq,
          id: entry.id,
        });
      }
    });

    it('let one that comes early wait, without a trace', () => {
      alice.write(LOBBY_STREAM, 'say', { text: 'never comes' });
      const early = alice.write(LOBBY_STREAM, 'say', { text: 'early' });
      ledger.reject(early, 'WAITING');
      assert.equal(headOf(ledger.at(LOBBY_STREAM).state, alice.id), undefined);
      assert.equal(checkChain(ledger.at(LOBBY_STREAM).state, early), 'WAITING');
    });

    it('reject repeats, forks and entries after something else than the last', () => {
      const one = ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'one' }));
      ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'two' }));
      ledger.reject(one, 'OUT_OF_ORDER');
      alice.rewind(LOBBY_STREAM, one);
      ledger.reject(alice.forge(LOBBY_STREAM, 'say', { text: 'another two' }), 'OUT_OF_ORDER');
      const wrong = { seq: 3, previous: one.id };
      ledger.reject(alice.forge(LOBBY_STREAM, 'say', { text: 'three' }, wrong), 'OUT_OF_ORDER');
      const none = { seq: 3, previous: null };
      ledger.reject(alice.forge(LOBBY_STREAM, 'say', { text: 'three' }, none), 'OUT_OF_ORDER');
      ledger.reject(
        bob.forge(LOBBY_STREAM, 'say', { text: 'x' }, { previous: one.id }),
        'OUT_OF_ORDER',
      );
    });

    it('bound how far a clock may run ahead of its stream', () => {
      const clock = 1 + MAX_CLOCK_STEP;
      ledger.reject(alice.forge(LOBBY_STREAM, 'say', { text: 'x' }, { clock }), 'BAD_ENTRY');
      ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'x' }, { clock: clock - 1 }));
      ledger.accept(bob.write(LOBBY_STREAM, 'say', { text: 'behind' }));
      const { state } = ledger.at(LOBBY_STREAM);
      assert.equal(state.get('clock', 'clock'), clock - 1);
    });

    it('do not look at the time of an author', () => {
      for (const time of [0, Number.MAX_SAFE_INTEGER])
        ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'x' }, { time }));
    });

    it('reject what is no action of its stream', () => {
      for (const [kind, body] of [
        ['say', {}],
        ['say', { text: '' }],
        ['shout', { text: 'x' }],
        ['room', { name: 'den', private: false }],
        ['say', new Uint8Array([0xff])],
      ] as const)
        ledger.reject(alice.forge(LOBBY_STREAM, kind, body), 'BAD_ENTRY');
      const target = 'ab'.repeat(32);
      ledger.reject(eraseBody(alice.forge(LOBBY_STREAM, 'remove', { target })), 'BAD_ENTRY');
    });
  });

  describe('of who may write where', () => {
    const stranger = (): Writer => new Writer(ledger.server.id, ledger.random);

    it('know nobody but those with an account', () => {
      ledger.reject(stranger().write(LOBBY_STREAM, 'say', { text: 'x' }), 'NOT_LOGGED_IN');
      ledger.reject(stranger().write('space', 'setgroup', {}), 'NOT_LOGGED_IN');
      ledger.reject(stranger().write(accountStream(alice.account), 'account', {}), 'NOT_LOGGED_IN');
    });

    it('shut out revoked devices everywhere, for good', () => {
      const phone = ledger.enrol(alice);
      ledger.accept(phone.write(LOBBY_STREAM, 'say', { text: 'before' }));
      const fresh = Keyring.create(2, ledger.random);
      const body = alice.revocation(phone.id, [alice], fresh);
      ledger.accept(alice.write('space', 'revoke', body));
      alice.keyring = phone.keyring = fresh;
      ledger.reject(phone.forge(LOBBY_STREAM, 'say', { text: 'after' }), 'REVOKED');
      ledger.reject(phone.forge('space', 'password', {}), 'REVOKED');
      // Not even as a new device, or with a new account.
      ledger.reject(phone.forge('space', 'account', {}), 'REVOKED');
      ledger.reject(phone.forge('space', 'device', {}), 'REVOKED');
      ledger.reject(phone.forge('space', 'recover', {}), 'REVOKED');
      ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'the other goes on' }));
    });

    it('let a device join one account, once', () => {
      ledger.reject(alice.forge('space', 'account', {}), 'ALREADY');
      ledger.reject(alice.forge('space', 'device', {}), 'ALREADY');
    });

    it('let nobody into a pair or an account of others', () => {
      const carol = ledger.join('carol');
      const pair = pairStream(alice.account, bob.account);
      const epoch = carol.epoch([alice, bob], 1, new Uint8Array(32));
      ledger.reject(carol.write(pair, 'epoch', epoch), 'DENIED');
      const block = { account: bob.account, blocked: true };
      ledger.reject(carol.write(accountStream(alice.account), 'block', block), 'DENIED');
      ledger.reject(alice.write(`room/${'0'.repeat(32)}`, 'say', { text: 'x' }), 'DENIED');
    });

    it('found no pair with somebody who is not there', () => {
      const nobody = pairStream(alice.account, 'f'.repeat(32) as typeof alice.account);
      const epoch = { number: 1, wraps: [] };
      ledger.reject(alice.write(nobody, 'epoch', epoch), 'DENIED');
    });

    it('let the server itself do what only a server does', () => {
      ledger.reject(ledger.server.forge(LOBBY_STREAM, 'say', { text: 'x' }), 'DENIED');
      ledger.reject(ledger.server.forge('space', 'room', {}), 'DENIED');
      ledger.reject(alice.forge('space', 'server', {}), 'DENIED');
      ledger.reject(ledger.server.forge(LOBBY_STREAM, 'setgroup', {}), 'BAD_ENTRY');
    });

    it('say who may read a stream', () => {
      const { space } = ledger;
      const none = new State();
      const reads = (who: Member, stream: StreamName): boolean =>
        mayRead(space, stream, ledger.at(stream).state, who.account);
      const carol = ledger.join('carol');
      const pair = pairStream(alice.account, bob.account);
      assert.deepEqual(
        [alice, bob, carol].map((who) => reads(who, pair)),
        [true, true, false],
      );
      assert.deepEqual(
        [alice, carol].map((who) => reads(who, 'space')),
        [true, true],
      );
      assert.deepEqual(
        [alice, bob].map((who) => reads(who, accountStream(alice.account))),
        [true, false],
      );
      const room = ledger.accept(alice.write('space', 'room', { name: 'den', private: true }));
      const den = `room/${room.id.slice(0, 32)}` as const;
      assert.deepEqual(
        [alice, bob].map((who) => reads(who, den)),
        [true, false],
      );
      ledger.accept(alice.write(den, 'members', { add: [bob.account], remove: [] }));
      assert.deepEqual(
        [alice, bob, carol].map((who) => reads(who, den)),
        [true, true, false],
      );
      assert.equal(reads(alice, `room/${'0'.repeat(32)}`), false);
      assert.equal(mayRead(space, 'space', none, 'f'.repeat(32) as typeof bob.account), false);
      // Whoever owns a room may read it, to come into it; whoever is no more may read nothing.
      const gone = { account: bob.account, vengeance: false };
      ledger.appoint(alice, 'admin');
      ledger.accept(alice.write('space', 'removeuser', gone));
      for (const stream of ['space', LOBBY_STREAM, den, pair, accountStream(bob.account)] as const)
        assert.equal(reads(bob, stream), false, stream);
    });
  });

  describe('of blocks', () => {
    const block = (account: string, blocked: boolean): Entry =>
      alice.write(accountStream(alice.account), 'block', { account, blocked });

    it('put them on and take them off, once each', () => {
      const { state } = ledger.at(accountStream(alice.account));
      ledger.accept(block(bob.account, true));
      assert.equal(state.get('block', bob.account), true);
      ledger.refuse(block(bob.account, true), 'ALREADY');
      ledger.accept(block(bob.account, false));
      assert.equal(state.get('block', bob.account), undefined);
      ledger.refuse(block(bob.account, false), 'NOT_BLOCKED');
    });

    it('refuse oneself and nobody', () => {
      ledger.refuse(block(alice.account, true), 'SELF');
      ledger.refuse(block('f'.repeat(32), true), 'NO_SUCH_USER');
    });
  });

  describe('of how far somebody has read', () => {
    it('go forward only, whatever order it is told in', () => {
      const own = accountStream(alice.account);
      const { state } = ledger.at(own);
      const read = (until: number, by = alice): Entry =>
        by.write(own, 'read', { stream: LOBBY_STREAM, until, tell: false });
      ledger.accept(read(5));
      ledger.accept(read(3));
      assert.equal(state.get('read', LOBBY_STREAM), 5);
      ledger.accept(read(9));
      assert.equal(state.get('read', LOBBY_STREAM), 9);
      ledger.reject(read(10, bob), 'DENIED');
    });
  });

  describe('of refusals', () => {
    it('move the chain of the device on, and nothing else', () => {
      ledger.appoint(alice, 'admin');
      ledger.appoint(bob, 'mute', alice);
      const refused = bob.write(LOBBY_STREAM, 'say', { text: 'x' });
      const before = [...ledger.at(LOBBY_STREAM).state.records()];
      ledger.refuse(refused, 'DENIED');
      const { state } = ledger.at(LOBBY_STREAM);
      assert.deepEqual(headOf(state, bob.id), { seq: 1, id: refused.id });
      assert.equal([...state.records()].length, before.length + 1);
      ledger.appoint(bob, 'user', alice);
      ledger.accept(bob.write(LOBBY_STREAM, 'say', { text: 'heard' }));
    });

    it('leave no mark of somebody who is nobody yet', () => {
      const impostor = new Member(ledger.server.id, ledger.random, 'ALICE');
      const verdict = ledger.submit(impostor.signup());
      assert.deepEqual(verdict, { type: 'rejected', code: 'NAME_TAKEN' });
    });

    it('may come from the server alone, which is asked about what is well-formed only', () => {
      const states = {
        space: ledger.space,
        stream: ledger.at(LOBBY_STREAM).state,
        position: 0,
        hindsight: false,
        now: NOW,
      };
      const asked: string[] = [];
      const admit = (action: { kind: string }): 'BLOCKED' => {
        asked.push(action.kind);
        return 'BLOCKED';
      };
      const said = alice.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const verdict = judge(said, states, admit);
      assert.equal(verdict.type === 'refused' && verdict.code, 'BLOCKED');
      const malformed = alice.forge(LOBBY_STREAM, 'say', {});
      assert.equal(judge(malformed, states, admit).type, 'rejected');
      const stranger = new Writer(ledger.server.id, ledger.random);
      assert.equal(
        judge(stranger.forge(LOBBY_STREAM, 'say', { text: 'x' }), states, admit).type,
        'rejected',
      );
      // Removed before it was sent: there is nothing to be asked about.
      const withdrawn = judge(eraseBody(said), states, admit);
      assert.equal(withdrawn.type === 'refused' && withdrawn.code, 'NO_SUCH_MESSAGE');
      assert.equal(
        judge(eraseBody(alice.forge(LOBBY_STREAM, 'remove', {})), states).type,
        'rejected',
      );
      assert.deepEqual(asked, ['say']);
    });
  });

  describe('on a replica', () => {
    const states = (stream: StreamName, hindsight = false) => ({
      space: ledger.space,
      stream: ledger.at(stream).state,
      position: ledger.at(stream).length,
      hindsight,
      now: ledger.now,
    });

    it('make the same changes as on the server', () => {
      const entry = alice.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const verdict = ledger.judge(entry);
      assert.ok(verdict.type === 'accepted');
      for (const hindsight of [false, true]) {
        const reduced = reduceItem(entryItem(entry), states(LOBBY_STREAM, hindsight));
        assert.deepEqual(reduced, { changes: verdict.changes, void: undefined });
      }
    });

    it('void what a server should not have sealed: its device moves on and that is all', () => {
      ledger.appoint(alice, 'admin');
      ledger.appoint(bob, 'mute', alice);
      const forbidden = bob.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const head = [{ table: 'head', id: bob.id, value: { seq: 1, id: forbidden.id } }];
      assert.deepEqual(reduceItem(entryItem(forbidden), states(LOBBY_STREAM)), {
        changes: head,
        void: 'DENIED',
      });
      const malformed = bob.forge(LOBBY_STREAM, 'say', {});
      assert.equal(reduceItem(entryItem(malformed), states(LOBBY_STREAM)).void, 'BAD_ENTRY');
    });

    it('take the mark of a refusal, and what remains of an erased message', () => {
      const id = 'ab'.repeat(32) as EntryId;
      const refusal = { id, device: bob.id, seq: 4, code: 'DENIED' } as const;
      assert.deepEqual(reduceItem(refusalItem(refusal), states(LOBBY_STREAM)), {
        changes: [{ table: 'head', id: bob.id, value: { seq: 4, id } }],
        void: undefined,
      });
      const erased = eraseBody(alice.forge(LOBBY_STREAM, 'say', { text: 'x' }));
      const reduced = reduceItem(entryItem(erased), states(LOBBY_STREAM));
      assert.equal(reduced.void, undefined);
      assert.deepEqual(
        reduced.changes.map(({ table }) => table),
        ['head', 'clock'],
      );
    });
  });
});
